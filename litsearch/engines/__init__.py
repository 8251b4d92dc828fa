"""Where vectors live, behind one small door."""
