"""The fault harness: hosts that are killed and frozen for real, at points that were found by recording a run.

    async with nursery() as hosts:
        host = await hosts.start(Order(settings=settings, port=port), log=path)
        await host.kill()

`scene` puts a request's whole surroundings around it: a simulated Twilio, proxies to it and to the storage, and any
number of hosts. `points` records which calls a request makes and ends a host at one of them. `soak` does everything
at once, at random with a seed.
"""
