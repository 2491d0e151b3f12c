// What a plugin for Culm in AssemblyScript is written with. Take this file as it is.
//
// Every call runs in a fresh instance of the module: memory is as it was after initialisation, whatever an earlier call
// did. What must outlive a call goes into the state of a wait.
import { JSON } from "json-as";

// ---- the host ---------------------------------------------------------------

@external("extism:host/env", "input_length")
declare function input_length(): u64;
@external("extism:host/env", "length")
declare function block_length(block: u64): u64;
@external("extism:host/env", "error_set")
declare function error_set(block: u64): void;
@external("culm:host/v1", "input_read")
declare function input_read(offset: u32, to: usize, length: u32): u32;
@external("culm:host/v1", "output_write")
declare function output_write(from: usize, length: u32): void;
@external("culm:host/v1", "block_read")
declare function block_read(block: u64, to: usize, length: u32): u32;
@external("culm:host/v1", "block_write")
declare function block_write(from: usize, length: u32): u64;
@external("culm:host/v1", "gateway_call")
declare function gateway_call(request: u64): u64;
@external("culm:host/v1", "log")
declare function host_log(level: u32, text: u64): void;
@external("culm:host/v1", "progress")
declare function host_progress(percent: u32, message: u64): void;

function toBlock(text: string): u64 {
  const bytes = String.UTF8.encode(text);
  return block_write(changetype<usize>(bytes), bytes.byteLength);
}

function fromBlock(block: u64): string {
  const bytes = new ArrayBuffer(<i32>block_length(block));
  block_read(block, changetype<usize>(bytes), bytes.byteLength);
  return String.UTF8.decode(bytes);
}

export const debug: u32 = 0;
export const info: u32 = 1;
export const warn: u32 = 2;
export const error: u32 = 3;

// log adds a line to the log of the node.
export function log(level: u32, text: string): void {
  host_log(level, toBlock(text));
}

// progress shows how far the call is, in percent.
export function progress(percent: u32, message: string = ""): void {
  host_progress(percent, message.length > 0 ? toBlock(message) : 0);
}

// Reply is what a system answered, as JSON. failure is "" or says why there is no answer.
export class Reply {
  status: i32 = 0;
  body: string = "null";
  failure: string = "";
}

@json
class WireReply {
  status: i32 = 0;
  body: JSON.Raw | null = null;
  failure: JSON.Raw | null = null;
}

// gateway calls an operation that an administrator granted; params and body are JSON, a body of "" is none.
export function gateway(system: string, operation: string, params: string = "{}", body: string = ""): Reply {
  let request = '{"system":' + JSON.stringify(system) + ',"operation":' + JSON.stringify(operation) + ',"params":' + params;
  if (body.length > 0) request += ',"body":' + body;
  const wire = JSON.parse<WireReply>(fromBlock(gateway_call(toBlock(request + "}"))));
  const reply = new Reply();
  reply.status = wire.status;
  const value = wire.body;
  if (value) reply.body = value.data;
  const failure = wire.failure;
  if (failure) reply.failure = failure.data;
  return reply;
}

// ---- a call -----------------------------------------------------------------

// Request is one call of an action. What is JSON is "null" where it was not sent.
export class Request {
  action: string = "";
  // execute, poll, timer, callback, cancel, rollback or options.
  reason: string = "";
  // Valid against the schema of the manifest.
  inputs: string = "null";
  // What the wait before carried.
  state: string = "null";
  // What came in, for the reason callback.
  callback: string = "null";
  // Those of the attempt, for the reason rollback.
  outputs: string = "null";
  // The form field that wants choices and the values of its siblings, for the reason options.
  field: string = "";
  form: string = "null";
  // How often it was polled before.
  polls: i32 = 0;
}

@json
class WireRequest {
  action: string = "";
  reason: string = "";
  inputs: JSON.Raw | null = null;
  state: JSON.Raw | null = null;
  callback: JSON.Raw | null = null;
  outputs: JSON.Raw | null = null;
  field: string = "";
  form: JSON.Raw | null = null;
  polls: i32 = 0;
}

// Every answer is JSON; these make it.

export function succeeded(outputs: string): string {
  return '{"status":"succeeded","outputs":' + outputs + "}";
}

// failed takes a code that is UPPER_SNAKE and stable, and a message for people that holds no secret.
export function failed(code: string, message: string, retryable: bool = false): string {
  const failure = '{"code":' + JSON.stringify(code) + ',"message":' + JSON.stringify(message);
  return failedWith(failure + (retryable ? ',"retryable":true}' : "}"));
}

// failedWith passes a failure of the gateway on.
export function failedWith(failure: string): string {
  return '{"status":"failed","failure":' + failure + "}";
}

// poll is called again, as resume, after that many milliseconds.
export function poll(afterMS: i64, state: string): string {
  return '{"status":"waiting","wait":{"kind":"poll","after_ms":' + afterMS.toString() + '},"state":' + state + "}";
}

// callback is called again when a program calls back.
export function callback(state: string): string {
  return '{"status":"waiting","wait":{"kind":"callback"},"state":' + state + "}";
}

// ask is called again when a person answered; schema is a JSON Schema.
export function ask(prompt: string, schema: string, state: string): string {
  return '{"status":"waiting","wait":{"kind":"human","prompt":' + JSON.stringify(prompt) + ',"schema":' + schema + '},"state":' + state + "}";
}

type Call = (r: Request) => string;

// Action holds the functions of an action; null where it does not offer that call.
export class Action {
  execute: Call | null = null;
  resume: Call | null = null;
  cancel: Call | null = null;
  rollback: Call | null = null;
  options: Call | null = null;
}

const actions = new Map<string, Action>();

// action returns the functions of an action, to be set.
export function action(id: string): Action {
  if (!actions.has(id)) actions.set(id, new Action());
  return actions.get(id);
}

function raw(v: JSON.Raw | null): string {
  return v ? v.data : "null";
}

function receive(): Request {
  const bytes = new ArrayBuffer(<i32>input_length());
  input_read(0, changetype<usize>(bytes), bytes.byteLength);
  const wire = JSON.parse<WireRequest>(String.UTF8.decode(bytes));
  const r = new Request();
  r.action = wire.action;
  r.reason = wire.reason;
  r.inputs = raw(wire.inputs);
  r.state = raw(wire.state);
  r.callback = raw(wire.callback);
  r.outputs = raw(wire.outputs);
  r.field = wire.field;
  r.form = raw(wire.form);
  r.polls = wire.polls;
  return r;
}

function serve(choose: (a: Action) => Call | null): i32 {
  const r = receive();
  if (!actions.has(r.action)) return broken("the plugin has no such action");
  const call = choose(actions.get(r.action));
  if (!call) return broken("the action does not offer this call");
  const answer = String.UTF8.encode(call(r));
  output_write(changetype<usize>(answer), answer.byteLength);
  return 0;
}

function broken(why: string): i32 {
  error_set(toBlock(why));
  return 1;
}

export function execute(): i32 {
  return serve((a) => a.execute);
}
export function resume(): i32 {
  return serve((a) => a.resume);
}
export function cancel(): i32 {
  return serve((a) => a.cancel);
}
export function rollback(): i32 {
  return serve((a) => a.rollback);
}
export function options(): i32 {
  return serve((a) => a.options);
}

// onAbort is what the compiler calls instead of the import env.abort, which the host does not offer.
export function onAbort(message: string | null, file: string | null, line: u32, column: u32): void {
  if (message) error_set(toBlock(message));
  unreachable();
}
