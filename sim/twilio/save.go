package twilio

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
)

// saved is a Service as Save writes it.
type saved struct {
	Scripts  map[string]savedPhone `json:"scripts"` // by number
	Calls    []savedCall           `json:"calls"`
	Texts    []savedText           `json:"texts"`
	OptedOut []string              `json:"opted_out"`
	Sticky   map[string]string     `json:"sticky"`
	Alerts   []Alert               `json:"alerts"`
}

type savedPhone struct {
	Script  string   `json:"script"`
	Rang    int      `json:"rang"`
	Replied []string `json:"replied"`
}

type savedCall struct {
	Call
	Asked asked `json:"asked"`
}

type savedText struct {
	Text
	Callback string `json:"callback"`
}

// Save encodes calls, texts, opt-outs and scripts, for Restore. What was posted to the hub is not in
// it. The same state gives the same bytes.
func (s *Service) Save() (json.RawMessage, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := saved{Scripts: map[string]savedPhone{}, OptedOut: slices.Sorted(maps.Keys(s.optedOut)), Sticky: s.sticky, Alerts: s.alerts}
	for _, p := range s.phones {
		out.Scripts[p.Number] = savedPhone{p.Person.Script, p.rang, slices.Sorted(maps.Keys(p.replied))}
	}
	for _, c := range s.calls {
		out.Calls = append(out.Calls, savedCall{c.Call, c.asked})
	}
	for _, t := range s.texts {
		out.Texts = append(out.Texts, savedText{t.Text, t.callback})
	}
	raw, err := json.Marshal(out)
	if err != nil {
		return nil, fmt.Errorf("sim/twilio: save: %w", err)
	}
	return raw, nil
}

// Restore is New with the state that Save encoded; nothing encoded is a new one. Start goes on with
// calls that were queued or rang; an answered one was cut off.
func Restore(cfg Config, raw json.RawMessage) (*Service, error) {
	var in saved
	if len(raw) > 0 {
		if err := json.Unmarshal(raw, &in); err != nil {
			return nil, fmt.Errorf("sim/twilio: restore: %w", err)
		}
	}
	s, err := New(cfg)
	if err != nil {
		return nil, err
	}
	if err := s.restore(in); err != nil {
		s.Stop()
		return nil, fmt.Errorf("sim/twilio: restore: %w", err)
	}
	return s, nil
}

func (s *Service) restore(in saved) error {
	seen := map[string]bool{}
	once := func(sid string) error {
		if sid == "" || seen[sid] {
			return fmt.Errorf("SID %q is empty or there twice", sid)
		}
		seen[sid] = true
		return nil
	}
	for _, p := range s.phones {
		kept, ok := in.Scripts[p.Number]
		if !ok {
			continue
		}
		does, err := parseScript(kept.Script)
		if err != nil {
			return err
		}
		p.Person.Script, p.does, p.rang = kept.Script, does, kept.Rang
		for _, code := range kept.Replied {
			p.replied[code] = true
		}
	}
	for _, kept := range in.Calls {
		if err := once(kept.SID); err != nil {
			return err
		}
		c := s.newCall(kept.Call, kept.Asked)
		c.Updated = kept.Updated
		if c.Direction == "inbound" && !over(c.Status) { // the caller has hung up long ago
			c.Status, c.Ended, c.Asking = "completed", c.Updated, false
		}
		s.calls = append(s.calls, c)
	}
	for _, kept := range in.Texts {
		if err := once(kept.SID); err != nil {
			return err
		}
		s.texts = append(s.texts, &text{Text: kept.Text, callback: kept.Callback})
	}
	for _, key := range in.OptedOut {
		s.optedOut[key] = true
	}
	maps.Copy(s.sticky, in.Sticky)
	s.alerts = in.Alerts
	return nil
}
