"""How calls are sent: the thread they run in, the clients that send them, and when they are sent again."""
