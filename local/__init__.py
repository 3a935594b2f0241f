"""A machine without Azure and Twilio: storage, the functions and a simulated Twilio, started together."""
