"""The claims desk: claims out of copy, wording checks, stances, findings, and the register of decisions."""
