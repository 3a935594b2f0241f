"""What keeps the promises when nobody asks: stuck deliveries, the poison queue, and what is kept no longer."""
