package config

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"responsehub"
)

// weekdays are the days as the file writes them.
var weekdays = []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}

// onCall is the sequence. What is as it would be anyway is left out, so that a later
// version may change it.
func (p *Phone) onCall() *responsehub.OnCall {
	out := &responsehub.OnCall{Sequence: slices.Clone(p.Sequence), Wait: p.Wait, Rounds: p.Rounds}
	for _, o := range []struct {
		to         *time.Duration
		is, anyway time.Duration
	}{
		{&out.Ring, p.Ring, 25 * time.Second}, {&out.Redial, p.Redial, 75 * time.Second},
		{&out.Nobody, p.Nobody, 15 * time.Minute}, {&out.Start, p.Start, 10 * time.Minute},
	} {
		if o.is != o.anyway {
			*o.to = o.is
		}
	}
	return out
}

// schedulesOf gives a sequence the schedules that it names.
func (c *Config) schedulesOf(o *responsehub.OnCall) {
	if o == nil {
		return
	}
	for _, s := range c.Schedules {
		if slices.Contains(o.Sequence, s.ID) {
			o.Schedules = append(o.Schedules, s.schedule())
		}
	}
}

func (s Schedule) schedule() responsehub.Schedule {
	out := responsehub.Schedule{ID: s.ID, TimeZone: s.TimeZone}
	for _, l := range s.Layers {
		layer := responsehub.Layer{People: slices.Clone(l.People), Since: l.Since, Weeks: l.Weeks, From: l.From, To: l.To}
		for _, d := range l.Days {
			if i := slices.Index(weekdays, strings.ToLower(d)); i >= 0 {
				layer.Days = append(layer.Days, time.Weekday(i))
			}
		}
		out.Layers = append(out.Layers, layer)
	}
	for _, o := range s.Overrides {
		out.Overrides = append(out.Overrides, responsehub.Override{Person: o.Person, From: o.From, To: o.To})
	}
	return out
}

// schedules checks that everybody named exists and that the hours can be read.
func (c *checker) schedules() {
	ids := unique{}
	for i, s := range c.cfg.Schedules {
		at := fmt.Sprintf("schedules[%d]", i)
		c.once(ids, s.ID, at+".id")
		if slices.ContainsFunc(c.cfg.People, func(p Person) bool { return p.ID == s.ID }) {
			c.fault(at+".id", "is the id of a person too")
		}
		for n, l := range s.Layers {
			path := fmt.Sprintf("%s.layers[%d]", at, n)
			c.callable(l.People, path+".people")
			for k, d := range l.Days {
				if !slices.Contains(weekdays, strings.ToLower(d)) && d != unread {
					c.fault(fmt.Sprintf("%s.days[%d]", path, k), "must be one of mon, tue, wed, thu, fri, sat, sun")
				}
			}
		}
		for n, o := range s.Overrides {
			c.callable([]string{o.Person}, fmt.Sprintf("%s.overrides[%d].person", at, n))
		}
		made := s.schedule()
		if why := made.Check(); why != "" {
			c.fault(at, "%s", why)
		}
	}
	for i, p := range c.cfg.People {
		if _, err := time.LoadLocation(p.TimeZone); err != nil && p.TimeZone != unread {
			c.fault(fmt.Sprintf("people[%d].time_zone", i), "is no zone such as Europe/Berlin")
		}
	}
}
