"""What comes from Twilio: signatures, forms, texts, calls, status callbacks."""
