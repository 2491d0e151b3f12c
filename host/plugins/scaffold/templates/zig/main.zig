//! The actions of the plugin. manifest.json describes their forms.
const std = @import("std");
const culm = @import("culm.zig");

comptime {
    culm.actions(.{
        .greet = .{ .execute = greet },
        .count_hosts = .{ .execute = countHosts },
    });
}

const Greet = struct { name: []const u8, loud: bool = false };

/// Answers by itself: it needs nothing but its inputs.
fn greet(r: culm.Request) !culm.Answer {
    const in = try r.inputs(Greet);
    const greeting = try std.fmt.allocPrint(culm.memory, "Hello, {s}{s}", .{ in.name, if (in.loud) "!" else "." });

    culm.log(.info, greeting);
    return culm.succeeded(.{ .greeting = greeting });
}

const CountHosts = struct { service: []const u8 };
const Hosts = struct { hosts: []struct { state: []const u8 } };

/// Asks a system, through the gateway: the only way out.
fn countHosts(r: culm.Request) !culm.Answer {
    const in = try r.inputs(CountHosts);
    const reply = try culm.gateway("demo", "list_hosts", .{ .service = in.service }, null);
    if (reply.failure) |failure| return culm.failedWith(failure);

    const body = try reply.json(Hosts);
    var in_service: usize = 0;
    for (body.hosts) |host| {
        if (std.mem.eql(u8, host.state, "in")) in_service += 1;
    }
    if (in_service == 0) {
        return culm.failed(.{ .code = "NO_HOSTS", .message = "no host of this service is in service", .retryable = true });
    }
    return culm.succeeded(.{ .hosts = body.hosts.len, .in_service = in_service });
}
