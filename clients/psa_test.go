package clients_test

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"responsehub/sim"
	"responsehub/sim/wire"
)

// theirs is what a library of a ticket system answered.
type theirs struct {
	OK    bool            `json:"ok"`
	Value json.RawMessage `json:"value"`
	Error *struct {
		Status  int             `json:"status"`
		Data    json.RawMessage `json:"data"`
		Message string          `json:"message"`
	} `json:"error"`
}

// deskWorld is a world without a hub and a way to talk to its desks with others' libraries.
func deskWorld(t *testing.T) (*sim.World, func(q map[string]any) theirs) {
	t.Helper()
	world, err := sim.New(sim.Options{Listen: "127.0.0.1:0", HubURL: "http://127.0.0.1:1", NoInstall: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(world.Stop)
	if err := world.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Setenv("NODE_EXTRA_CA_CERTS", world.CAFile())
	say := talk(t, "psa.cjs")
	play := func(q map[string]any) (out theirs) {
		t.Helper()
		say(20*time.Second, q, &out)
		return out
	}
	opened := play(map[string]any{"open": map[string]any{
		"connectwise": map[string]any{
			"companyId": sim.ConnectWiseCompany, "companyUrl": strings.TrimPrefix(world.ConnectWiseURL(), "https://"), "publicKey": sim.ConnectWiseKey,
			"privateKey": world.DeskSecret("connectwise"), "clientId": sim.ConnectWiseClientID, "apiVersion": "2025.1",
		},
		"autotask": map[string]any{
			"user": sim.AutotaskUser, "secret": world.DeskSecret("autotask"), "code": world.AutotaskCode(), "base": world.AutotaskURL() + "/ATServicesRest/",
		},
	}})
	if !opened.OK {
		t.Fatalf("the libraries were not opened: %+v", opened)
	}
	return world, play
}

// got decodes what a library returned.
func got[T any](t *testing.T, a theirs) (out T) {
	t.Helper()
	if a.Error != nil {
		t.Fatalf("the library failed: %d %s %s", a.Error.Status, a.Error.Message, a.Error.Data)
	}
	if err := json.Unmarshal(a.Value, &out); err != nil {
		t.Fatalf("%s: %v", a.Value, err)
	}
	return out
}

// refused checks a library's error.
func refused(t *testing.T, what string, a theirs, status int, text string) {
	t.Helper()
	if a.Error == nil || a.Error.Status != status || !strings.Contains(string(a.Error.Data)+a.Error.Message, text) {
		t.Errorf("%s: want %d with %q, the library says %+v", what, status, text, a)
	}
}

func TestConnectWiseLibraryWorksAtTheSimulatedDesk(t *testing.T) {
	world, play := deskWorld(t)
	call := func(args ...any) theirs { t.Helper(); return play(map[string]any{"connectwise": args}) }
	events := make(chan []byte, 8)
	signatures := make(chan string, 8)
	ear := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		events <- body
		signatures <- r.Header.Get("x-content-signature")
	}))
	defer ear.Close()
	call("postSystemCallbacks", map[string]any{"url": ear.URL + "/?recordId=", "objectId": 1, "type": "ticket", "level": "owner", "payloadVersion": "3.0.0"})

	type ticket struct {
		ID         int
		Summary    string
		ClosedFlag bool
		Status     struct{ Name string }
	}
	made := got[ticket](t, call("postServiceTickets", map[string]any{
		"summary": "O'Brien & <Söhne>", "board": map[string]any{"name": "Security"}, "company": map[string]any{"identifier": "CONTOSO"}, "externalXRef": "RH-LIB",
		"initialDescription": "made by a library",
	}))
	found := got[[]ticket](t, call("getServiceTickets", map[string]any{"conditions": `externalXRef="RH-LIB" and closedFlag=False`, "orderBy": "id desc", "fields": "id,summary"}))
	if len(found) != 1 || found[0].ID != made.ID {
		t.Errorf("searched: %+v", found)
	}
	closed := got[ticket](t, call("patchServiceTicketsById", made.ID, []any{map[string]any{"op": "replace", "path": "status", "value": map[string]any{"name": "Closed"}}}))
	if !closed.ClosedFlag || closed.Status.Name != "Closed" {
		t.Errorf("patched: %+v", closed)
	}
	got[map[string]any](t, call("postServiceTicketsByParentIdNotes", made.ID, map[string]any{"text": "noted", "internalAnalysisFlag": true}))
	if notes := got[[]map[string]any](t, call("getServiceTicketsByParentIdNotes", made.ID)); len(notes) != 2 {
		t.Errorf("%d notes", len(notes))
	}

	refused(t, "no company", call("postServiceTickets", map[string]any{"summary": "s"}), 400, "InvalidObject")
	refused(t, "no ticket", call("getServiceTicketsById", 1), 404, "Ticket 1 not found")
	world.Wire.AddFault(wire.Fault{Vendor: "connectwise", Times: 1, Status: 429, Header: map[string]string{"Retry-After": "30"}, Answer: `{"error":"ConnectWiseAPI","message":"Too many requests. Please try again in 30 seconds."}`})
	refused(t, "too many", call("getServiceTicketsById", made.ID), 429, "Too many requests")
	world.Wire.AddFault(wire.Fault{Vendor: "connectwise", Times: 1, Status: 500, Answer: `{"code":"ConnectWiseApi","message":"broken"}`})
	refused(t, "broken", call("getServiceTicketsById", made.ID), 500, "broken")

	body, signature := <-events, <-signatures
	if key := callbackKey(t, world, body); !got[bool](t, play(map[string]any{"verify": []string{string(body), signature, key}})) {
		t.Error("the library does not believe the signature of a callback")
	}
	if bad := world.Wire.UnexpectedAll(); len(bad) > 0 {
		t.Errorf("unexpected: %q", bad)
	}
}

// callbackKey fetches the key that a callback names.
func callbackKey(t *testing.T, world *sim.World, body []byte) string {
	t.Helper()
	var event struct {
		Metadata struct {
			KeyURL string `json:"key_url"`
		}
	}
	authority, err := os.ReadFile(world.CAFile())
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(authority) || json.Unmarshal(body, &event) != nil {
		t.Fatalf("no authority, or no event: %s", body)
	}
	client := http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}}}
	defer client.CloseIdleConnections()
	resp, err := client.Get(event.Metadata.KeyURL)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var key struct {
		SigningKey string `json:"signing_key"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&key); err != nil || key.SigningKey == "" {
		t.Fatalf("%s holds no key: %v", event.Metadata.KeyURL, err)
	}
	return key.SigningKey
}

func TestAutotaskLibraryWorksAtTheSimulatedDesk(t *testing.T) {
	world, play := deskWorld(t)
	call := func(args ...any) theirs { t.Helper(); return play(map[string]any{"autotask": args}) }
	type made struct{ ItemID int }
	ticket := map[string]any{"companyID": 29680001, "title": "O'Brien & <Söhne>", "status": 1, "priority": 4, "queueID": 29682833, "externalID": "RH-LIB"}
	id := got[made](t, call("Tickets", "create", ticket)).ItemID
	found := got[struct{ Items []struct{ ID int } }](t, call("Tickets", "query", map[string]any{
		"filter": []any{map[string]any{"op": "eq", "field": "externalID", "value": "RH-LIB"}}, "includeFields": []string{"id"}, "maxRecords": 5,
	}))
	if len(found.Items) != 1 || found.Items[0].ID != id {
		t.Errorf("searched: %+v", found)
	}
	if n := got[map[string]int](t, call("Tickets", "count", map[string]any{"filter": []any{map[string]any{"op": "exist", "field": "id"}}})); n["queryCount"] != 1 {
		t.Errorf("counted %v", n)
	}
	got[made](t, call("Tickets", "update", map[string]any{"id": id, "status": 5}))
	if one := got[struct {
		Item struct {
			Status        int
			CompletedDate string
		}
	}](t, call("Tickets", "get", id)); one.Item.Status != 5 || one.Item.CompletedDate == "" {
		t.Errorf("patched: %+v", one)
	}
	got[made](t, call("TicketNotes", "create", id, map[string]any{"title": "n", "description": "noted", "noteType": 1, "publish": 2}))
	if st := world.Autotask.Snapshot().ByRef("RH-LIB"); len(st) != 1 || len(st[0].Notes) != 1 || !st[0].Closed {
		t.Errorf("%+v", st)
	}
	if fields := got[struct{ Fields []map[string]any }](t, call("Tickets", "fieldInfo")); len(fields.Fields) < 10 {
		t.Errorf("%d fields", len(fields.Fields))
	}

	delete(ticket, "queueID")
	refused(t, "no queue", call("Tickets", "create", ticket), 500, "QueueID cannot all be empty")
	world.Wire.AddFault(wire.Fault{Vendor: "autotask", Times: 1, Status: 429, Answer: `{"errors":["too many"]}`})
	refused(t, "too many", call("Tickets", "get", id), 429, "too many")
	if _, err := world.Play(t.Context(), sim.Act{Do: "desk_missing", Desk: "autotask", Value: "404"}); err != nil {
		t.Fatal(err)
	}
	if nothing := call("Tickets", "get", 7); nothing.Error != nil || string(nothing.Value) != "null" {
		t.Errorf("404 comes as null, not %+v", nothing)
	}
	if bad := world.Wire.UnexpectedAll(); len(bad) > 0 {
		t.Errorf("unexpected: %q", bad)
	}
}
