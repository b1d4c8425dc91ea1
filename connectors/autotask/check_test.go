package autotask_test

import (
	"strings"
	"testing"

	"responsehub"
	"responsehub/connectors/autotask"
	"responsehub/ticket"
)

func TestCheck(t *testing.T) {
	tests := map[string]struct {
		change func(*site)
		cfg    func(*autotask.Config)
		want   string // check and grade that must be there
	}{
		"all well":          {nil, nil, "statuses ok"},
		"queue":             {nil, func(c *autotask.Config) { c.Queue = "Nope" }, "queue missing"},
		"status missing":    {nil, func(c *autotask.Config) { c.Statuses[ticket.Working] = "Nope" }, "status working missing"},
		"status not closed": {nil, func(c *autotask.Config) { c.Statuses[ticket.Closed] = "New" }, "status closed warning"},
		"status closes":     {nil, func(c *autotask.Config) { c.Statuses[ticket.Waiting] = "Complete" }, "status waiting warning"},
		"no such priority":  {nil, func(c *autotask.Config) { c.Priorities[responsehub.Low] = "Nope" }, "priority missing"},
		"no such category":  {nil, func(c *autotask.Config) { c.Category = "Nope" }, "type missing"},
		"nothing internal":  {func(s *site) { s.publish = s.publish[:1] }, nil, "notes missing"},
		"no webhook":        {nil, nil, "events warning"},
		"webhook off": {func(s *site) {
			s.hooks[1] = row{"id": 1, "name": "responsehub 1", "isActive": false, "isReady": true}
		}, nil, "events warning"},
		"webhook on": {func(s *site) { s.hooks[1] = row{"id": 1, "name": "responsehub 1", "isActive": true, "isReady": true} }, nil, "events ok"},
		"keys":       {nil, func(c *autotask.Config) { c.Secret = "wrong" }, "sign in missing"},
		"catch-all":  {nil, func(c *autotask.Config) { c.CatchAll = "Ghost" }, "catch-all company missing"},
		"busy":       {func(s *site) { s.used = 8000 }, nil, "calls warning"},
		"clock":      {nil, nil, "clock ok"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			if tt.change != nil {
				tt.change(s)
			}
			if tt.cfg == nil {
				tt.cfg = func(*autotask.Config) {}
			}
			var got []string
			for _, c := range s.desk(tt.cfg).Check(t.Context()) {
				got = append(got, c.Name+" "+string(c.Grade))
				if c.Sentence == "" {
					t.Errorf("%s says nothing", c.Name)
				}
			}
			if !strings.Contains("\n"+strings.Join(got, "\n")+"\n", "\n"+tt.want+"\n") {
				t.Errorf("want %q among\n%s", tt.want, strings.Join(got, "\n"))
			}
			for _, c := range s.calls {
				if c != "zone" && !strings.HasPrefix(c, "GET ") && !strings.HasSuffix(c, "/query") {
					t.Errorf("checking made the call %s", c)
				}
			}
		})
	}
}
