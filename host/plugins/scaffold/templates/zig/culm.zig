//! What a plugin for Culm in Zig is written with. Take this file as it is.
//!
//! Every call runs in a fresh instance of the module: memory is as it was after initialisation, whatever an earlier
//! call did. So nothing here is ever freed. What must outlive a call goes into the state of a wait.
const std = @import("std");

/// Where everything is allocated.
pub const memory = std.heap.wasm_allocator;

// ---- the host ---------------------------------------------------------------

const extism = struct {
    extern "extism:host/env" fn input_length() u64;
    extern "extism:host/env" fn length(block: u64) u64;
    extern "extism:host/env" fn error_set(block: u64) void;
};

const host = struct {
    extern "culm:host/v1" fn input_read(offset: u32, to: [*]u8, length: u32) u32;
    extern "culm:host/v1" fn output_write(from: [*]const u8, length: u32) void;
    extern "culm:host/v1" fn block_read(block: u64, to: [*]u8, length: u32) u32;
    extern "culm:host/v1" fn block_write(from: [*]const u8, length: u32) u64;
    extern "culm:host/v1" fn gateway_call(request: u64) u64;
    extern "culm:host/v1" fn log(level: u32, text: u64) void;
    extern "culm:host/v1" fn progress(percent: u32, message: u64) void;
};

fn toBlock(text: []const u8) u64 {
    return host.block_write(text.ptr, @intCast(text.len));
}

fn fromBlock(block: u64) ![]u8 {
    const bytes = try memory.alloc(u8, @intCast(extism.length(block)));
    return bytes[0..host.block_read(block, bytes.ptr, @intCast(bytes.len))];
}

pub const Level = enum(u32) { debug, info, warn, err };

/// Adds a line to the log of the node.
pub fn log(level: Level, text: []const u8) void {
    host.log(@intFromEnum(level), toBlock(text));
}

/// Shows how far the call is, in percent.
pub fn progress(percent: u32, message: []const u8) void {
    host.progress(percent, if (message.len == 0) 0 else toBlock(message));
}

/// What a system answered. failure says why there is no answer.
pub const Reply = struct {
    status: i64 = 0,
    body: std.json.Value = .null,
    /// The body when it is not JSON.
    text: []const u8 = "",
    failure: ?std.json.Value = null,

    /// Reads the body into a type; members that the type does not have are left out.
    pub fn json(r: Reply, comptime T: type) !T {
        return read(T, r.body);
    }
};

/// Calls an operation that an administrator granted. params is a struct; body is any value, or null.
pub fn gateway(system: []const u8, operation: []const u8, params: anytype, body: anytype) !Reply {
    const request = if (@TypeOf(body) == @TypeOf(null))
        try write(.{ .system = system, .operation = operation, .params = params })
    else
        try write(.{ .system = system, .operation = operation, .params = params, .body = body });
    return parse(Reply, try fromBlock(host.gateway_call(toBlock(request))));
}

// ---- a call -----------------------------------------------------------------

const Value = std.json.Value;

/// One call of an action.
pub const Request = struct {
    action: []const u8,
    /// execute, poll, timer, callback, cancel, rollback or options.
    reason: []const u8,
    /// What was sent, as JSON values: read them with the functions below.
    raw_inputs: Value,
    raw_state: Value,
    raw_callback: Value,
    raw_outputs: Value,
    raw_form: Value,
    /// The form field that wants choices, for the reason options.
    field: []const u8,
    /// How often it was polled before.
    polls: i64,
    /// project, run, node, iteration, attempt, operator, zone.
    context: Value,

    /// Reads the inputs, which are valid against the schema of the manifest.
    pub fn inputs(r: Request, comptime T: type) !T {
        return read(T, r.raw_inputs);
    }
    /// Reads what the wait before carried.
    pub fn state(r: Request, comptime T: type) !T {
        return read(T, r.raw_state);
    }
    /// Reads what came in, for the reason callback.
    pub fn callback(r: Request, comptime T: type) !T {
        return read(T, r.raw_callback);
    }
    /// Reads the outputs of the attempt, for the reason rollback.
    pub fn outputs(r: Request, comptime T: type) !T {
        return read(T, r.raw_outputs);
    }
};

/// What an action answers: JSON.
pub const Answer = []const u8;

pub fn succeeded(outputs: anytype) !Answer {
    return write(.{ .status = "succeeded", .outputs = outputs });
}

/// A code is UPPER_SNAKE and stable; the message is for people and holds no secret.
pub const Failure = struct { code: []const u8, message: []const u8, retryable: bool = false };

pub fn failed(failure: Failure) !Answer {
    return write(.{ .status = "failed", .failure = failure });
}

/// Passes a failure of the gateway on.
pub fn failedWith(failure: Value) !Answer {
    return write(.{ .status = "failed", .failure = failure });
}

/// Is called again, as resume, after that many milliseconds.
pub fn poll(after_ms: i64, state: anytype) !Answer {
    return write(.{ .status = "waiting", .wait = .{ .kind = "poll", .after_ms = after_ms }, .state = state });
}

/// Is called again when a program calls back.
pub fn callback(state: anytype) !Answer {
    return write(.{ .status = "waiting", .wait = .{ .kind = "callback" }, .state = state });
}

/// Is called again when a person answered; schema is a struct that makes a JSON Schema.
pub fn ask(prompt: []const u8, schema: anytype, state: anytype) !Answer {
    return write(.{ .status = "waiting", .wait = .{ .kind = "human", .prompt = prompt, .schema = schema }, .state = state });
}

/// Makes the exports of the module. table has a member for each action, with its functions: execute, and resume,
/// cancel, rollback and options where the action offers them.
pub fn actions(comptime table: anytype) void {
    inline for (.{ "execute", "resume", "cancel", "rollback", "options" }) |name| {
        const Export = struct {
            fn call() callconv(.C) i32 {
                const answer = serve(table, name) catch |e| {
                    extism.error_set(toBlock(@errorName(e)));
                    return 1;
                };
                host.output_write(answer.ptr, @intCast(answer.len));
                return 0;
            }
        };
        @export(Export.call, .{ .name = name });
    }
}

const Wire = struct {
    action: []const u8 = "",
    reason: []const u8 = "",
    inputs: Value = .null,
    state: Value = .null,
    callback: Value = .null,
    outputs: Value = .null,
    form: Value = .null,
    field: []const u8 = "",
    polls: i64 = 0,
    context: Value = .null,
};

fn serve(comptime table: anytype, comptime name: []const u8) !Answer {
    const bytes = try memory.alloc(u8, @intCast(extism.input_length()));
    _ = host.input_read(0, bytes.ptr, @intCast(bytes.len));
    const w = try parse(Wire, bytes);
    const r = Request{
        .action = w.action,
        .reason = w.reason,
        .raw_inputs = w.inputs,
        .raw_state = w.state,
        .raw_callback = w.callback,
        .raw_outputs = w.outputs,
        .raw_form = w.form,
        .field = w.field,
        .polls = w.polls,
        .context = w.context,
    };
    inline for (@typeInfo(@TypeOf(table)).Struct.fields) |f| {
        if (std.mem.eql(u8, f.name, r.action)) {
            const action = @field(table, f.name);
            if (@hasField(@TypeOf(action), name)) return @field(action, name)(r);
            return error.TheActionDoesNotOfferThisCall;
        }
    }
    return error.ThePluginHasNoSuchAction;
}

fn parse(comptime T: type, json: []const u8) !T {
    return std.json.parseFromSliceLeaky(T, memory, json, .{ .ignore_unknown_fields = true });
}

fn read(comptime T: type, v: Value) !T {
    return std.json.parseFromValueLeaky(T, memory, v, .{ .ignore_unknown_fields = true });
}

fn write(v: anytype) ![]const u8 {
    return std.json.stringifyAlloc(memory, v, .{});
}
