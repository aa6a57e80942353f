"""The far side of a link: everything here runs in a guest, on the standard library alone."""
