"""Real time: a log of messages for each user, and the sockets that carry them to the apps."""
