// What a plugin for Culm in JavaScript is written with. Take this file and the directory engine as they are.
//
// The top level of the modules runs once, when the plugin is loaded. Every call begins from the memory after that, whatever
// an earlier call did. What must outlive a call goes into the state of a wait.

// host is the one function that engine/culm.wat offers: a number that says what, a text and a number.
const host = globalThis.__host;
const op = { input: 0, output: 1, broken: 2, gateway: 3, log: 4, progress: 5, evaluate: 6, random: 7 };

// toJSON writes what the host takes: half a surrogate pair is no text there.
function toJSON(value) {
  const text = JSON.stringify(value);
  return text.includes("\\ud") ? JSON.stringify(value, (_, v) => (typeof v === "string" ? v.toWellFormed() : v)) : text;
}

// ---- the host ---------------------------------------------------------------

export const debug = 0;
export const info = 1;
export const warn = 2;
export const error = 3;

// log adds a line to the log of the node.
export function log(level, text) {
  host(op.log, String(text), level);
}

// progress shows how far the call is, in percent.
export function progress(percent, message = "") {
  host(op.progress, String(message), percent);
}

// gateway calls an operation that an administrator granted, and returns {status, headers, body, text} or {failure}. params
// is an object or undefined, body any JSON or undefined.
export function gateway(system, operation, params, body) {
  return JSON.parse(host(op.gateway, toJSON({ system, operation, params, body }), 0));
}

// evaluate evaluates an expression of the host's language, CEL, over named values: {value} or {failure}.
export function evaluate(expression, values = {}) {
  return JSON.parse(host(op.evaluate, toJSON({ expression, values }), 0));
}

// What the engine has from the time of loading would be the same in every call.
Math.random = () => host(op.random, "", 0);

const print = (level) => (...parts) =>
  log(level, parts.map((p) => (p instanceof Error ? describe(p) : typeof p === "object" ? JSON.stringify(p) : String(p))).join(" "));
globalThis.console = { debug: print(debug), log: print(info), info: print(info), warn: print(warn), error: print(error) };

// ---- answers ----------------------------------------------------------------

export function succeeded(outputs = {}) {
  return { status: "succeeded", outputs };
}

export function failed(code, message, retryable = false) {
  return { status: "failed", failure: { code, message, retryable } };
}

// failedWith passes a failure of the gateway on as it came.
export function failedWith(failure) {
  return { status: "failed", failure };
}

// waitPoll asks to be called again after a time. state is any JSON and comes back in the next request.
export function waitPoll(afterMs, state) {
  return { status: "waiting", wait: { kind: "poll", after_ms: afterMs }, state };
}

export function waitTimer(afterMs, state) {
  return { status: "waiting", wait: { kind: "timer", after_ms: afterMs }, state };
}

export function waitCallback(state) {
  return { status: "waiting", wait: { kind: "callback" }, state };
}

// waitHuman asks a person; prompt is {en, zh}, schema that of the answer.
export function waitHuman(prompt, schema, state) {
  return { status: "waiting", wait: { kind: "human", prompt, schema }, state };
}

// choices answers the call options: a list of {value, label, disabled}.
export function choices(list) {
  return { status: "succeeded", outputs: { choices: list } };
}

// ---- calls ------------------------------------------------------------------

const actions = {};

// plugin says what the actions do: for each id an object with execute and, as the manifest promises, resume, cancel,
// rollback and options. Each is a function, async or not, from a request to an answer. Several modules may call it.
export function plugin(table) {
  Object.assign(actions, table);
}

const describe = (e) => (e instanceof Error ? `${e.name}: ${e.message}\n${e.stack ?? ""}`.trimEnd() : String(e));

// call is what the engine calls: it begins a call, and later asks how it went. 0 is an answer, anything else a text of the
// error; a promise that nothing will settle must not look like an answer.
let outcome;
globalThis.__call = (name) => {
  if (name === "") return outcome ?? settle("the promise that the action returned was never settled");
  try {
    const request = JSON.parse(host(op.input, "", 0));
    const action = Object.hasOwn(actions, request.action) ? actions[request.action] : undefined;
    if (!action) return settle(`the plugin has no action ${request.action}`);
    if (typeof action[name] !== "function") return settle(`the action ${request.action} does not offer ${name}`);
    const result = action[name](request);
    if (typeof result?.then === "function") result.then(answer, (e) => settle(describe(e)));
    else answer(result);
  } catch (e) {
    settle(describe(e));
  }
};

function answer(result) {
  if (typeof result !== "object" || result === null) return settle("the action returned no answer");
  host(op.output, toJSON(result), 0);
  outcome = 0;
}

function settle(text) {
  host(op.broken, text, 0);
  return (outcome = 1);
}
