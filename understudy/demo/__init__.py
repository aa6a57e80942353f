"""`understudy demo`: real work, real kills, and an account that must balance."""
