// The Node server that bench_fanout.py measures beside ours: the package ws, as its manual shows.
//
// A client sends the JSON list of its symbols and gets one answer; what is to be sent
// comes as lines, symbol, tab and text, on a port of its own.
// Usage: node fanout_node.cjs PORT FEED_PORT

const net = require("node:net");
const { WebSocket, WebSocketServer } = require("ws");

const QUEUED_BYTES = 1000 * 500; // for one client, about as much as ours holds
const NEWLINE = 10;
const TAB = 9;

const [port, feedPort] = process.argv.slice(2).map(Number);
const holders = new Map(); // the clients of each symbol

const server = new WebSocketServer({ host: "127.0.0.1", port, perMessageDeflate: false, backlog: 2048 });
server.on("connection", (client) => {
  client.on("error", () => client.terminate());
  client.once("message", (asked) => {
    const symbols = JSON.parse(asked);
    for (const symbol of symbols) {
      if (!holders.has(symbol)) holders.set(symbol, new Set());
      holders.get(symbol).add(client);
    }
    client.on("close", () => symbols.forEach((symbol) => holders.get(symbol).delete(client)));
    client.send('{"type":"subscribed"}');
  });
});

function publish(line) {
  const tab = line.indexOf(TAB);
  const text = line.subarray(tab + 1); // as bytes: a string would be encoded for each client
  for (const client of holders.get(line.toString("latin1", 0, tab)) ?? []) {
    if (client.readyState === WebSocket.OPEN && client.bufferedAmount < QUEUED_BYTES) {
      client.send(text, { binary: false });
    }
  }
}

net.createServer((feed) => {
  let rest = Buffer.alloc(0);
  feed.on("data", (chunk) => {
    const data = rest.length ? Buffer.concat([rest, chunk]) : chunk;
    let begin = 0;
    for (let end; (end = data.indexOf(NEWLINE, begin)) >= 0; begin = end + 1) {
      publish(data.subarray(begin, end));
    }
    rest = data.subarray(begin);
  });
}).listen(feedPort, "127.0.0.1");
