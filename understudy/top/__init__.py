"""`understudy top`: what the actors of another process are doing, live."""
