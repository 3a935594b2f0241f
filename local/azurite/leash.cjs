// Loaded before Azurite: its standard input ends when its parent wants it to stop, or is gone, on every system alike.
process.stdin.on("end", () => process.emit("SIGTERM") || process.exit(0)).resume();
