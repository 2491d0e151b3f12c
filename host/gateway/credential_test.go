package gateway_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/culmhq/culm/host/gateway"
	"github.com/culmhq/culm/host/secrets"
	"github.com/culmhq/culm/host/systems"
	"github.com/culmhq/culm/pdk/contract"
)

func bearer(token string) secrets.Input { return secrets.Input{Token: secrets.NewSecret(token)} }

// onlyTakes answers 401 to all tokens but one.
func onlyTakes(token string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer "+token {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		writeJSON(w, `{"ok":true}`)
	}
}

// Only an operation that is safe to repeat tries the other live version after a 401.
func TestOtherVersionIsTriedForSafeOperationsOnly(t *testing.T) {
	t.Parallel()
	b := newBench(t, onlyTakes("the-old-token"), setting{credential: bearer("the-old-token")})
	if err := b.vault.Set(t.Context(), b.target(), bearer("the-new-token"), "tester"); err != nil {
		t.Fatal(err)
	}
	for i, c := range []struct {
		op, body string
		params   map[string]any
		status   int
		sent     int
	}{
		{"read", "", map[string]any{"id": "1"}, http.StatusOK, 2},
		{"create", `{"name":"a"}`, nil, http.StatusUnauthorized, 1},
		{"replace", `{"a":"b"}`, map[string]any{"id": "1"}, http.StatusUnauthorized, 1},
	} {
		before := len(b.up.all())
		res := b.call(c.op, c.params, c.body)
		got := b.up.all()[before:]
		if res.Failure != nil || res.Status != c.status || len(got) != c.sent {
			t.Fatalf("%d %s: got %+v after %d requests, want %d after %d", i, c.op, res, len(got), c.status, c.sent)
		}
		if got[0].Header.Get("Authorization") != "Bearer the-new-token" {
			t.Errorf("%s: the primary is not the first: %v", c.op, got[0].Header)
		}
	}
}

func TestPromotedVersionIsUsedAndADeletedOneIsNot(t *testing.T) {
	t.Parallel()
	b := newBench(t, onlyTakes("the-old-token"), setting{credential: bearer("the-old-token")})
	if err := b.vault.Set(t.Context(), b.target(), bearer("the-new-token"), "tester"); err != nil {
		t.Fatal(err)
	}
	if err := b.vault.Promote(t.Context(), project, "things", 1); err != nil {
		t.Fatal(err)
	}
	if res := b.call("create", nil, `{"name":"a"}`); res.Status != http.StatusOK {
		t.Fatalf("with the old one promoted: %+v", res)
	}
	if err := b.vault.Delete(t.Context(), project, "things", 1); err != nil {
		t.Fatal(err)
	}
	if res := b.call("read", map[string]any{"id": "1"}, ""); res.Status != http.StatusUnauthorized {
		t.Fatalf("with the old one deleted: %+v", res)
	}
	if got := b.up.all(); len(got) != 2 || got[1].Header.Get("Authorization") != "Bearer the-new-token" {
		t.Fatalf("the system got %+v", got)
	}
}

// The system checks the signature over the documented text: the parts with line feeds
// between them.
func TestSignatureHoldsForTheRequestAsSentAndNoOther(t *testing.T) {
	t.Parallel()
	const key = "the-key-of-the-signature"
	b := newBench(t, nil, setting{
		auth:       "{type: hmac, header: X-Signature, prefix: \"sha256=\", key_id_header: X-Key-Id, timestamp_header: X-Timestamp}",
		credential: secrets.Input{KeyID: "key-1", Secret: secrets.NewSecret(key)},
	})
	for _, res := range []contract.GatewayResponse{b.call("create", nil, `{"name":"a"}`), b.call("search", map[string]any{"q": "a b/c", "n": 2}, "")} {
		if res.Status != http.StatusOK {
			t.Fatalf("got %+v", res)
		}
	}
	holds := func(r received, body string) bool {
		path, query, _ := strings.Cut(r.URI, "?")
		sum := sha256.Sum256([]byte(body))
		mac := hmac.New(sha256.New, []byte(key))
		mac.Write([]byte(strings.Join([]string{r.Method, path, query, r.Header.Get("X-Timestamp"), hex.EncodeToString(sum[:])}, "\n")))
		return r.Header.Get("X-Signature") == "sha256="+hex.EncodeToString(mac.Sum(nil))
	}
	for _, r := range b.up.all() {
		if r.Header.Get("X-Key-Id") != "key-1" || !holds(r, r.Body) {
			t.Errorf("the signature does not hold for %+v", r)
		}
		if holds(r, r.Body+" ") {
			t.Errorf("the signature holds for another body than that of %+v", r)
		}
	}
}

// The system gets the application and the acting user; the plugin sees nothing of it,
// not even when the system sends it all back.
func TestBlueKingHeaderNamesTheActingUserAndThePluginNeverSeesTheSecret(t *testing.T) {
	t.Parallel()
	b := newBench(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Echo", r.Header.Get(systems.BlueKingHeader))
		body, _ := json.Marshal(map[string]string{"echo": r.Header.Get(systems.BlueKingHeader)})
		writeJSON(w, string(body))
	}, setting{auth: "{type: blueking, app_code: culm}", credential: secrets.Input{Secret: secrets.NewSecret(canary)}})
	res := b.call("read", map[string]any{"id": "1"}, "")
	if res.Status != http.StatusOK {
		t.Fatalf("got %+v", res)
	}
	var sent map[string]string
	if err := json.Unmarshal([]byte(b.up.all()[0].Header.Get(systems.BlueKingHeader)), &sent); err != nil {
		t.Fatal(err)
	}
	if len(sent) != 3 || sent["bk_app_code"] != "culm" || sent["bk_app_secret"] != canary || sent["bk_username"] != "ada" {
		t.Fatalf("the system got %v", sent)
	}
	if seen := string(res.Body) + res.Headers["x-echo"]; strings.Contains(seen, "c4nary") || !strings.Contains(seen, secrets.Mask) {
		t.Fatalf("the plugin sees %s", seen)
	}
}

// The default is for projects without a credential of their own, at the address it was
// set for.
func TestDefaultOfTheInstallationIsUsedAndBoundToo(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil, setting{noCredential: true})
	target := gateway.Target(secrets.Installation, b.systems["things"].System)
	if err := b.vault.Set(t.Context(), target, bearer("the-default-token"), "tester"); err != nil {
		t.Fatal(err)
	}
	if res := b.call("read", map[string]any{"id": "1"}, ""); res.Status != http.StatusOK {
		t.Fatalf("with the default: %+v", res)
	}
	if err := b.vault.Set(t.Context(), b.target(), bearer("the-own-token"), "tester"); err != nil {
		t.Fatal(err)
	}
	if res := b.call("read", map[string]any{"id": "1"}, ""); res.Status != http.StatusOK {
		t.Fatalf("with one of its own: %+v", res)
	}
	got := b.up.all()
	if len(got) != 2 || got[0].Header.Get("Authorization") != "Bearer the-default-token" || got[1].Header.Get("Authorization") != "Bearer the-own-token" {
		t.Fatalf("the system got %+v", got)
	}
	b.mu.Lock()
	b.systems["things"] = register(t, setting{base: b.up.URL + "/elsewhere", auth: "{type: bearer}", limits: "{}"})
	b.mu.Unlock()
	fails(t, b.call("read", map[string]any{"id": "1"}, ""), gateway.CodeCredentialMissing, contract.OriginGateway)
	if len(b.up.all()) != 2 {
		t.Fatal("the new address was reached")
	}
}

// The last use is when a credential went out, not when a call looked for it: neither a call
// that is refused nor one whose system cannot be reached uses it.
func TestACredentialWasUsedWhenItWasSent(t *testing.T) {
	t.Parallel()
	nobody := closed(t)
	for name, c := range map[string]struct {
		s    setting
		used bool
	}{
		"it was sent":                       {setting{}, true},
		"nobody listens":                    {setting{base: "http://" + nobody, allow: []string{nobody}}, false},
		"the policy forbids the address":    {setting{allow: []string{}}, false},
		"a certificate that is not trusted": {setting{base: "https://" + nobody, allow: []string{nobody}}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, nil, c.s)
			b.call("read", map[string]any{"id": "1"}, "")
			all, err := b.vault.Versions(t.Context(), b.target())
			if err != nil || len(all) != 1 || (all[0].LastUsedAt != nil) != c.used {
				t.Fatalf("got %+v, %v", all, err)
			}
		})
	}
}
