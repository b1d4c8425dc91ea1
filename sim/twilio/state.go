package twilio

import (
	"maps"
	"slices"
	"time"
)

// State is all that the network knows, for tests and for the page.
type State struct {
	Account  string       `json:"account"`
	Numbers  []string     `json:"numbers"`
	Phones   []PhoneState `json:"phones"`
	Calls    []Call       `json:"calls"`     // in order of creation
	Texts    []Text       `json:"texts"`     // in order of creation, both directions
	OptedOut []string     `json:"opted_out"` // "sender number"
	Alerts   []Alert      `json:"alerts"`    // of the debugger
	Sent     []Delivery   `json:"sent"`      // webhooks, tries counted apart
}

// PhoneState is a phone as its owner sees it.
type PhoneState struct {
	Person
	Call string `json:"call,omitempty"` // SID of the call that rings or is answered
}

// Snapshot copies the state.
func (s *Service) Snapshot() State {
	s.mu.Lock()
	defer s.mu.Unlock()
	st := State{
		Account: s.cfg.AccountSID, Numbers: slices.Clone(s.cfg.Numbers), Phones: []PhoneState{}, Calls: []Call{}, Texts: []Text{},
		OptedOut: slices.Sorted(maps.Keys(s.optedOut)), Alerts: append([]Alert{}, s.alerts...), Sent: append([]Delivery{}, s.sent...),
	}
	for _, p := range s.phones {
		one := PhoneState{Person: p.Person}
		if p.live != nil {
			one.Call = p.live.SID
		}
		st.Phones = append(st.Phones, one)
	}
	for _, c := range s.calls {
		one := c.Call
		one.Said = slices.Clone(c.Said)
		st.Calls = append(st.Calls, one)
	}
	for _, t := range s.texts {
		st.Texts = append(st.Texts, t.Text)
	}
	return st
}

// Page is State without what a page cannot show at once: the newest 40 calls and 80 texts.
func (st State) Page() State {
	st.Calls = st.Calls[max(0, len(st.Calls)-40):]
	st.Texts = st.Texts[max(0, len(st.Texts)-80):]
	st.Alerts = st.Alerts[max(0, len(st.Alerts)-20):]
	st.Sent = nil
	return st
}

// To returns the calls that were placed to a person, by key or number, and the texts, in order of
// creation.
func (st State) To(who string) (calls []Call, texts []Text) {
	for _, p := range st.Phones {
		if p.Key == who {
			who = p.Number
		}
	}
	for _, c := range st.Calls {
		if c.To == who {
			calls = append(calls, c)
		}
	}
	for _, t := range st.Texts {
		if t.To == who {
			texts = append(texts, t)
		}
	}
	return calls, texts
}

// Live is how many calls a phone had at the same time at most, queued ones included: from the creation
// to the end, or to now.
func (st State) Live(who string) (most int) {
	calls, _ := st.To(who)
	for _, c := range calls {
		at := 0
		for _, other := range calls {
			if !other.Created.After(c.Created) && (other.Ended.IsZero() || other.Ended.After(c.Created)) {
				at++
			}
		}
		most = max(most, at)
	}
	return most
}

// Heard is everything said on the calls to a person, in order.
func (st State) Heard(who string) (lines []string) {
	calls, _ := st.To(who)
	for _, c := range calls {
		for _, l := range c.Said {
			lines = append(lines, l.Text)
		}
	}
	return lines
}

// Lasted is from the answer to the end of a call; 0 when nobody answered or it goes on.
func (c Call) Lasted() time.Duration {
	if c.Answered.IsZero() || c.Ended.IsZero() {
		return 0
	}
	return c.Ended.Sub(c.Answered)
}
