// The actions of the plugin. manifest.json describes their forms.
import { JSON } from "json-as";
import { action, failed, failedWith, gateway, info, log, Request, succeeded } from "./culm";

// What the host calls.
export { execute, resume, cancel, rollback, options, onAbort } from "./culm";

action("greet").execute = greet;
action("count_hosts").execute = countHosts;

@json
class GreetInputs {
  name: string = "";
  loud: bool = false;
}

@json
class Greeting {
  greeting: string = "";
}

// greet answers by itself: it needs nothing but its inputs.
function greet(r: Request): string {
  const inputs = JSON.parse<GreetInputs>(r.inputs);
  const out = new Greeting();
  out.greeting = "Hello, " + inputs.name + (inputs.loud ? "!" : ".");

  log(info, out.greeting);
  return succeeded(JSON.stringify(out));
}

@json
class CountInputs {
  service: string = "";
}

@json
class Host {
  state: string = "";
}

@json
class HostList {
  hosts: Host[] = [];
}

@json
class Count {
  hosts: i32 = 0;
  in_service: i32 = 0;
}

// countHosts asks a system, through the gateway: the only way out.
function countHosts(r: Request): string {
  const inputs = JSON.parse<CountInputs>(r.inputs);
  const reply = gateway("demo", "list_hosts", JSON.stringify(inputs));
  if (reply.failure.length > 0) return failedWith(reply.failure);

  const hosts = JSON.parse<HostList>(reply.body).hosts;
  const out = new Count();
  out.hosts = hosts.length;
  for (let i = 0; i < hosts.length; i++) {
    if (hosts[i].state == "in") out.in_service++;
  }
  if (out.in_service == 0) return failed("NO_HOSTS", "no host of this service is in service", true);
  return succeeded(JSON.stringify(out));
}
