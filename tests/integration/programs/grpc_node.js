// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
//
// node grpc_node.js server             prints its port, and serves until its input ends
// node grpc_node.js client ADDRESS     makes a call of each kind, and prints what came of them
//
// Messages are bytes: what is tested is the way of the frames, not protobuf.
'use strict';
const grpc = require('@grpc/grpc-js');

const method = (name, requestStream, responseStream) => ({
  path: `/test.Echo/${name}`,
  requestStream,
  responseStream,
  requestSerialize: (bytes) => bytes,
  requestDeserialize: (bytes) => bytes,
  responseSerialize: (bytes) => bytes,
  responseDeserialize: (bytes) => bytes,
});
const service = {
  unary: method('Unary', false, false),
  fail: method('Fail', false, false),
  wait: method('Wait', false, false),
  down: method('Down', false, true),
  up: method('Up', true, false),
  chat: method('Chat', true, true),
};

function serve() {
  let cancelled = 0;
  const server = new grpc.Server({'grpc.max_receive_message_length': -1});
  server.addService(service, {
    unary(call, reply) {
      const trailers = new grpc.Metadata();
      trailers.set('x-tail', '1');
      reply(null, call.request, trailers);
    },
    fail(call, reply) {
      reply({code: grpc.status.FAILED_PRECONDITION, details: 'no: 100% \u00fc'});
    },
    // Ends only by being cancelled. How often that has been: `Down` of nothing tells.
    wait(call) {
      call.on('cancelled', () => { cancelled += 1; });
    },
    down(call) {
      const count = Number(call.request.toString());
      if (count === 0) call.write(Buffer.from(String(cancelled)));
      for (let i = 0; i < count; i++) call.write(Buffer.from(String(i)));
      call.end();
    },
    up(call, reply) {
      let size = 0;
      call.on('data', (bytes) => { size += bytes.length; });
      call.on('end', () => reply(null, Buffer.from(String(size))));
    },
    chat(call) {
      call.on('data', (bytes) => call.write(bytes));
      call.on('end', () => call.end());
    },
  });
  server.bindAsync('127.0.0.1:0', grpc.ServerCredentials.createInsecure(), (error, port) => {
    if (error) throw error;
    console.log(port);
  });
  process.stdin.on('end', () => process.exit(0)).resume();
}

const soon = (milliseconds) => ({deadline: Date.now() + milliseconds});

function unary(client, name, bytes, options = soon(20000)) {
  return new Promise((resolve) => {
    let tail = null;
    const call = client[name](bytes, new grpc.Metadata(), options, (error, reply) => {
      setImmediate(() => resolve({code: error ? error.code : 0, details: error && error.details,
                                  size: reply ? reply.length : -1, tail}));
    });
    call.on('status', (status) => { tail = status.metadata.get('x-tail').join(); });
  });
}

function read(call) {
  return new Promise((resolve, reject) => {
    const messages = [];
    call.on('data', (bytes) => messages.push(bytes.toString()));
    call.on('error', reject);
    call.on('end', () => resolve(messages));
  });
}

async function ask(address) {
  const Client = grpc.makeGenericClientConstructor(service, 'Echo');
  const client = new Client(address, grpc.credentials.createInsecure(), {
    'grpc.enable_retries': 0,
    'grpc.max_receive_message_length': -1,
  });
  const results = {};
  results.small = await unary(client, 'unary', Buffer.from('hello'));
  results.large = await unary(client, 'unary', Buffer.alloc(1 << 20, 'x'));
  const all = [];
  for (let i = 0; i < 200; i++) all.push(unary(client, 'unary', Buffer.alloc(i)));
  results.many = (await Promise.all(all)).every((each, i) => each.code === 0 && each.size === i);
  results.fail = await unary(client, 'fail', Buffer.alloc(0));
  results.deadline = await unary(client, 'wait', Buffer.alloc(0), soon(300));
  const down = await read(client.down(Buffer.from('500'), soon(20000)));
  results.down = down.length === 500 && down.every((each, i) => each === String(i));
  results.up = await new Promise((resolve) => {
    const call = client.up(soon(20000), (error, reply) => resolve(error ? error : reply.toString()));
    for (let i = 0; i < 500; i++) call.write(Buffer.alloc(1000));
    call.end();
  });
  const chat = client.chat(soon(20000));
  let rounds = 0;
  chat.on('data', () => (++rounds < 50 ? chat.write(Buffer.from('again')) : chat.end()));
  chat.write(Buffer.from('first'));
  await read(chat);
  results.chat = rounds;
  const waiting = client.wait(Buffer.alloc(0), soon(20000), () => {});
  waiting.cancel();
  // The call that ran out of time, and perhaps the one just cancelled, which may have gone nowhere.
  do {
    results.cancelled = Number((await read(client.down(Buffer.from('0'), soon(20000))))[0]);
  } while (results.cancelled === 0);
  console.log(JSON.stringify(results));
  process.exit(0);  // the deadlines of calls that have ended would hold it up
}

if (process.argv[2] === 'server') serve();
else ask(process.argv[3]).catch((error) => { console.error(error); process.exit(1); });
