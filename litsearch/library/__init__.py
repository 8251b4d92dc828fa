"""What staff do with the library and learn about it: add and remove, watch, compare generations, report, map the evidence."""
