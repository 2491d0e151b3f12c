// A plugin in AssemblyScript. It uses @extism/as-pdk from npm for the input and the
// output, and one function of Culm's own for the way out.
import { Host, Memory } from "@extism/as-pdk/lib/pdk";
import { length } from "@extism/as-pdk/lib/env";
import { JSON } from "json-as";

// gateway_call takes a block with a request and returns a block with the response;
// host/wasm/culm_gateway.go has the bytes.
@external("culm:host/v1", "gateway_call")
declare function gateway_call(request: u64): u64;

@json
class Inputs {
  system: string = "";
  service: string = "";
  wanted: i32 = 0;
}

@json
class Request {
  action: string = "";
  inputs: Inputs = new Inputs();
}

@json
class Params {
  service: string = "";
}

@json
class GatewayRequest {
  system: string = "";
  operation: string = "";
  params: Params = new Params();
}

@json
class Instances {
  instances: string[] = [];
}

@json
class GatewayResponse {
  status: i32 = 0;
  body: Instances | null = null;
  failure: JSON.Raw | null = null;
}

@json
class Outputs {
  service: string = "";
  found: i32 = 0;
  missing: i32 = 0;
}

@json
class Succeeded {
  status: string = "succeeded";
  outputs: Outputs = new Outputs();
}

@json
class Failed {
  status: string = "failed";
  failure: JSON.Raw = new JSON.Raw("null");
}

// onAbort is what the compiler calls instead of the import env.abort, which the host
// does not offer.
export function onAbort(message: string | null, file: string | null, line: u32, column: u32): void {
  unreachable();
}

// output writes UTF-8. Host.outputString of as-pdk 1.0.0 counts UTF-16 units and cuts
// everything that is not ASCII.
function output(text: string): void {
  Host.output(Uint8Array.wrap(String.UTF8.encode(text)));
}

function gateway(request: GatewayRequest): GatewayResponse {
  const block = Memory.allocateString(JSON.stringify(request));
  const offset = gateway_call(block.offset);
  return JSON.parse<GatewayResponse>(new Memory(offset, length(offset)).toString());
}

// execute serves the action "missing".
export function execute(): i32 {
  const request = JSON.parse<Request>(Host.inputString());
  const call = new GatewayRequest();
  call.system = request.inputs.system;
  call.operation = "list_instances";
  call.params.service = request.inputs.service;
  const response = gateway(call);

  const failure = response.failure;
  if (failure) {
    const answer = new Failed();
    answer.failure = failure;
    output(JSON.stringify(answer));
    return 0;
  }
  const body = response.body;
  const answer = new Succeeded();
  answer.outputs.service = request.inputs.service;
  answer.outputs.found = body ? body.instances.length : 0;
  answer.outputs.missing = max(request.inputs.wanted - answer.outputs.found, 0);
  output(JSON.stringify(answer));
  return 0;
}
