package pdk_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/culmhq/culm/pdk"
	"github.com/culmhq/culm/pdk/contract"
	"github.com/culmhq/culm/pdk/pdktest"
)

func TestGatewayLeavesNilParametersOut(t *testing.T) {
	t.Parallel()
	b := pdktest.New(t, job())
	b.Reply("jobs", "run", 204, "")
	pdktest.Succeeded[JobOut](t, b.Execute("run", JobIn{Do: "gateway"}))
	got, err := json.Marshal(b.Calls()[0])
	if err != nil || string(got) != `{"system":"jobs","operation":"run","params":{"a":1},"body":{"x":"y"}}` {
		t.Fatalf("request %s (%v)", got, err)
	}
}

func TestGatewayFailures(t *testing.T) {
	t.Parallel()
	req := contract.GatewayRequest{System: "jobs", Operation: "run"}
	for name, c := range map[string]struct {
		resp contract.GatewayResponse
		want contract.Failure
	}{
		"status with a message": {
			contract.GatewayResponse{Status: 409, Body: json.RawMessage(`{"error":{"a":1},"message":"it\nruns already"}`)},
			contract.Failure{Code: pdk.CodeStatus, Message: "jobs run answered with status 409: it runs already", HTTPStatus: 409},
		},
		"status with a text in JSON": {
			contract.GatewayResponse{Status: 400, Body: json.RawMessage(`"bad matcher"`)},
			contract.Failure{Code: pdk.CodeStatus, Message: "jobs run answered with status 400: bad matcher", HTTPStatus: 400},
		},
		"status with a text": {
			contract.GatewayResponse{Status: 500, Text: " boom \n"},
			contract.Failure{Code: pdk.CodeStatus, Message: "jobs run answered with status 500: boom", HTTPStatus: 500, Retryable: true},
		},
		"too many requests": {
			contract.GatewayResponse{Status: 429},
			contract.Failure{Code: pdk.CodeStatus, Message: "jobs run answered with status 429", HTTPStatus: 429, Retryable: true},
		},
		"a list": {
			contract.GatewayResponse{Status: 400, Body: json.RawMessage(`[1]`)},
			contract.Failure{Code: pdk.CodeStatus, Message: "jobs run answered with status 400", HTTPStatus: 400},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f, ok := errors.AsType[*contract.Failure](pdk.Check(req, c.resp))
			if !ok {
				t.Fatal("no failure")
			}
			if f.Code != c.want.Code || f.Message != c.want.Message || f.HTTPStatus != c.want.HTTPStatus || f.Retryable != c.want.Retryable {
				t.Fatalf("failure %+v, want %+v", f, c.want)
			}
			if f.Origin != contract.OriginSystem || f.System != "jobs" || f.Operation != "run" {
				t.Fatalf("failure %+v does not say whose fault it is", f)
			}
		})
	}
	if err := pdk.Check(req, contract.GatewayResponse{Status: 304}); err != nil {
		t.Fatalf("status 304: %v", err)
	}
}

func TestAFailureRepeatsABoundedPartOfTheAnswer(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("中", 5000)
	body, err := json.Marshal(map[string]string{"message": long})
	if err != nil {
		t.Fatal(err)
	}
	for _, resp := range []contract.GatewayResponse{{Status: 500, Body: body}, {Status: 500, Text: long}} {
		f, ok := errors.AsType[*contract.Failure](pdk.Check(contract.GatewayRequest{}, resp))
		if !ok || len(f.Message) > 400 || len(f.Detail) > 9000 || !json.Valid(f.Detail) {
			t.Fatalf("message of %d bytes, detail of %d", len(f.Message), len(f.Detail))
		}
		if strings.ContainsRune(f.Message, '\ufffd') {
			t.Fatalf("the message is cut inside a letter: %s", f.Message[len(f.Message)-10:])
		}
	}
}
