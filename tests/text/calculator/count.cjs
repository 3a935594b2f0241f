// Prints the encoding and the segments of each text: one JSON string on a line comes in, one JSON array goes out.
const { createInterface } = require("node:readline");
const { SegmentedMessage } = require("sms-segments-calculator");

createInterface({ input: process.stdin }).on("line", (line) => {
  const message = new SegmentedMessage(JSON.parse(line));
  console.log(JSON.stringify([message.encodingName, message.segmentsCount]));
});
