"""TN3270: the client that talks to a mainframe, what its screens mean, and a demo host to try it on."""
