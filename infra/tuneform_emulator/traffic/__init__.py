"""What goes in and out, whatever carries it: calls are routed, counted, held up and broken on order, and answered."""
