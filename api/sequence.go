package api

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"responsehub"
)

// weekdays are the days as requests and answers write them.
var weekdays = []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}

// PhoneOf is a sequence as requests and answers write it; nil of nil. Times that are as
// they would be anyway are left out.
func PhoneOf(o *responsehub.OnCall) *Phone {
	if o == nil {
		return nil
	}
	p := &Phone{
		Sequence: orEmpty(o.Sequence), Wait: o.Wait.String(), Rounds: o.Rounds,
		Ring: timeSaid(o.Ring), Redial: timeSaid(o.Redial), Nobody: timeSaid(o.Nobody), Start: timeSaid(o.Start),
	}
	for _, s := range o.Schedules {
		v := Schedule{ID: s.ID, TimeZone: s.TimeZone, Layers: []Layer{}}
		for _, l := range s.Layers {
			layer := Layer{People: orEmpty(l.People), Since: l.Since, Weeks: l.Weeks, From: l.From, To: l.To}
			for _, d := range l.Days {
				layer.Days = append(layer.Days, weekdays[d])
			}
			v.Layers = append(v.Layers, layer)
		}
		for _, o := range s.Overrides {
			v.Overrides = append(v.Overrides, Override(o))
		}
		p.Schedules = append(p.Schedules, v)
	}
	return p
}

func timeSaid(d time.Duration) string {
	if d == 0 {
		return ""
	}
	return d.String()
}

// onCall reads a sequence. What it says is checked with the tenant.
func (p *Phone) onCall(at string) (*responsehub.OnCall, error) {
	out := &responsehub.OnCall{Sequence: p.Sequence, Wait: 3 * time.Minute, Rounds: cmp.Or(p.Rounds, 3)}
	for _, t := range []struct {
		name, text string
		to         *time.Duration
	}{
		{"wait", p.Wait, &out.Wait}, {"ring", p.Ring, &out.Ring}, {"redial", p.Redial, &out.Redial}, {"nobody", p.Nobody, &out.Nobody}, {"start", p.Start, &out.Start},
	} {
		if t.text == "" {
			continue
		}
		d, err := time.ParseDuration(t.text)
		if err != nil || d <= 0 {
			return nil, invalid(at+"/"+t.name, "This must be a time such as 3m or 90s.")
		}
		*t.to = d
	}
	for i, s := range p.Schedules {
		made, err := s.schedule(fmt.Sprintf("%s/schedules/%d", at, i))
		if err != nil {
			return nil, err
		}
		out.Schedules = append(out.Schedules, made)
	}
	return out, nil
}

func (s *Schedule) schedule(at string) (responsehub.Schedule, error) {
	out := responsehub.Schedule{ID: s.ID, TimeZone: s.TimeZone}
	for i, l := range s.Layers {
		layer := responsehub.Layer{People: l.People, Since: l.Since, Weeks: l.Weeks, From: l.From, To: l.To}
		for n, d := range l.Days {
			day := slices.Index(weekdays, strings.ToLower(d))
			if day < 0 {
				return out, invalid(fmt.Sprintf("%s/layers/%d/days/%d", at, i, n), "A day is one of sun, mon, tue, wed, thu, fri, sat.")
			}
			layer.Days = append(layer.Days, time.Weekday(day))
		}
		out.Layers = append(out.Layers, layer)
	}
	for _, o := range s.Overrides {
		out.Overrides = append(out.Overrides, responsehub.Override{Person: o.Person, From: o.From.UTC(), To: o.To.UTC()})
	}
	return out, nil
}

// over is the sequence as it becomes: what a change leaves out stays as it was.
func (p *Phone) over(was *responsehub.OnCall, at string) (*responsehub.OnCall, error) {
	out, err := p.onCall(at)
	if err != nil || was == nil {
		return out, err
	}
	out.Ring, out.Redial = cmp.Or(out.Ring, was.Ring), cmp.Or(out.Redial, was.Redial)
	out.Nobody, out.Start = cmp.Or(out.Nobody, was.Nobody), cmp.Or(out.Start, was.Start)
	if p.Schedules == nil {
		out.Schedules = was.Schedules
	}
	return out, nil
}
