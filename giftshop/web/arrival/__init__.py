"""The web process itself: how a request arrives whole before a thread is given to it."""
