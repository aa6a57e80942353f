"""Everything that depends on the operating system, behind one table."""
