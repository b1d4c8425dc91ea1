//go:build conformance

package conformance_test

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi2"
	"github.com/getkin/kin-openapi/openapi2conv"
	"github.com/getkin/kin-openapi/openapi3"

	"responsehub/sim"
	"responsehub/sim/wire"
)

// TestWire plays whole incidents and checks all that was said.
func TestWire(t *testing.T) {
	graph, connector, cards := graphDescription(t), connectorDescription(t), cardSchema(t)
	s := play(t)
	t.Run("graph", func(t *testing.T) { checkGraph(t, graph, s.world) })
	t.Run("connector", func(t *testing.T) { checkConnector(t, connector, s.world) })
	t.Run("cards", func(t *testing.T) { checkCards(t, cards, s) })
}

// graphDeviations are where Graph does otherwise than its description says. There are
// none in what the hub asks today.
var graphDeviations []deviation

// connectorDeviations are what Teams adds to the Bot Framework's connector.
var connectorDeviations = []deviation{
	{"GET /v3/teams/{teamId}/conversations", "is not described", "Teams' own: the channels of a team, https://learn.microsoft.com/microsoftteams/platform/bots/how-to/get-teams-context"},
}

func graphDescription(t *testing.T) *description {
	t.Helper()
	doc, err := openapi3.NewLoader().LoadFromData(vendorFile(t, "graph-openapi-trim.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	return describe(doc, graphDeviations)
}

func connectorDescription(t *testing.T) *description {
	t.Helper()
	var old openapi2.T
	if err := json.Unmarshal(vendorFile(t, "botframework-swagger.json"), &old); err != nil {
		t.Fatal(err)
	}
	doc, err := openapi2conv.ToV3(&old)
	if err != nil {
		t.Fatal(err)
	}
	return describe(doc, connectorDeviations)
}

// asked are the vendor's requests that got an answer.
func asked(t *testing.T, world *sim.World, vendor string) (out []wire.Request) {
	t.Helper()
	for _, r := range world.Wire.Requests() {
		if r.Vendor == vendor && r.Status != 0 {
			out = append(out, r)
		}
	}
	if len(out) == 0 {
		t.Fatalf("nothing was asked of %s", vendor)
	}
	return out
}

func checkGraph(t *testing.T, d *description, world *sim.World) {
	complaints := tally{}
	checked := 0
	for _, r := range asked(t, world, "graph") {
		path, ok := strings.CutPrefix(r.Path, "/graph/v1.0")
		if !ok {
			t.Errorf("%s %s: not below v1.0", r.Method, r.Path)
			continue
		}
		for _, x := range unpack(t, exchange{r.Method, path, r.Query, r.Body, r.Answer, r.Status}) {
			checked++
			complaints.add(d.check(x))
		}
	}
	complaints.report(t)
	d.finish(t)
	t.Logf("%d requests, %d operations:\n%s", checked, len(d.seen), strings.Join(slices.Sorted(maps.Keys(d.seen)), "\n"))
}

// unpack returns the exchange, and those that it carries when it is a batch.
func unpack(t *testing.T, x exchange) []exchange {
	t.Helper()
	all := []exchange{x}
	if x.path != "/$batch" {
		return all
	}
	var in struct {
		Requests []struct {
			ID, Method, URL string
			Body            json.RawMessage
		}
	}
	var out struct {
		Responses []struct {
			ID     string
			Status int
			Body   json.RawMessage
		}
	}
	if json.Unmarshal([]byte(x.sent), &in) != nil || json.Unmarshal([]byte(x.answer), &out) != nil {
		t.Errorf("a batch cannot be read: %s %s", x.sent, x.answer)
		return all
	}
	for _, q := range in.Requests {
		path, query, _ := strings.Cut(q.URL, "?")
		for _, a := range out.Responses {
			if a.ID == q.ID {
				all = append(all, exchange{q.Method, path, query, text(q.Body), text(a.Body), a.Status})
			}
		}
	}
	return all
}

func text(raw json.RawMessage) string {
	if string(raw) == "null" {
		return ""
	}
	return string(raw)
}

func checkConnector(t *testing.T, d *description, world *sim.World) {
	complaints := tally{}
	checked := 0
	for _, r := range asked(t, world, "teams") {
		if !strings.Contains(r.Path, "/v3/") {
			continue // the keys, which are no part of the connector
		}
		checked++
		complaints.add(d.check(exchange{r.Method, r.Path, r.Query, r.Body, r.Answer, r.Status}))
	}
	complaints.report(t)
	d.finish(t)
	t.Logf("%d requests, %d operations:\n%s", checked, len(d.seen), strings.Join(slices.Sorted(maps.Keys(d.seen)), "\n"))
}

// tally counts complaints, so that each is told once.
type tally map[string]int

func (c tally) add(wrong []string) {
	for _, w := range wrong {
		c[w]++
	}
}

func (c tally) report(t *testing.T) {
	t.Helper()
	for _, w := range slices.Sorted(maps.Keys(c)) {
		t.Errorf("%d times %s", c[w], w)
	}
}
