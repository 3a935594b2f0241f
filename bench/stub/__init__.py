"""Storage and Twilio that answer at once: so that what is measured is the functions' process, and nothing else.

Tables with their ETags, queues, and Twilio's create calls, all in the memory of one process; enough of them to be
taken for the real ones by the SDKs that the app uses, and no more.
"""
