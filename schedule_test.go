package responsehub_test

import (
	"testing"
	"time"

	"responsehub"
)

func TestWhoIsOnCall(t *testing.T) {
	weekdays := []time.Weekday{time.Monday, time.Tuesday, time.Wednesday, time.Thursday, time.Friday}
	day := func(s string) time.Time {
		at, err := time.Parse(time.RFC3339, s)
		if err != nil {
			t.Fatal(err)
		}
		return at
	}
	s := responsehub.Schedule{ID: "s", TimeZone: "Europe/Berlin", Layers: []responsehub.Layer{
		{People: []string{"ann", "bob"}, Since: "2026-01-05"},
		{People: []string{"cat", "dan"}, Since: "2026-01-05", Weeks: 2, Days: weekdays, From: "18:00", To: "08:00"},
	}, Overrides: []responsehub.Override{
		{Person: "eve", From: day("2026-12-24T00:00:00Z"), To: day("2026-12-27T00:00:00Z")},
		{Person: "fay", From: day("2026-12-25T00:00:00Z"), To: day("2026-12-26T00:00:00Z")},
	}}
	if why := s.Check(); why != "" {
		t.Fatal(why)
	}
	for _, tc := range []struct{ name, at, want string }{
		{"before it began", "2026-01-04T12:00:00Z", ""},
		{"first week, by day", "2026-01-05T12:00:00Z", "ann"},
		{"second week, by day", "2026-01-12T12:00:00Z", "bob"},
		{"third week, by day", "2026-01-19T12:00:00Z", "ann"},
		{"at the handover, midnight in Berlin", "2026-01-11T23:00:00Z", "bob"},
		{"one second before", "2026-01-11T22:59:59Z", "ann"},
		{"first night", "2026-01-05T17:00:00Z", "cat"},
		{"before the night begins", "2026-01-05T16:59:59Z", "ann"},
		{"the night goes on after midnight", "2026-01-06T06:59:59Z", "cat"},
		{"and ends at eight", "2026-01-06T07:00:00Z", "ann"},
		{"Friday's night ends on Saturday", "2026-01-10T06:00:00Z", "cat"},
		{"Saturday has no night layer", "2026-01-10T20:00:00Z", "ann"},
		{"Monday before eight is nobody's night", "2026-01-12T05:00:00Z", "bob"},
		{"two weeks each", "2026-01-13T20:00:00Z", "cat"},
		{"then the other", "2026-01-19T20:00:00Z", "dan"},
		{"summer time moves the hours", "2026-07-01T16:00:00Z", "cat"},
		{"in summer 18:00 in Berlin is 16:00 UTC", "2026-07-01T15:59:59Z", "bob"},
		{"the week of the change of the clocks is a week", "2026-03-30T12:00:00Z", "ann"},
		{"an override beats the layers", "2026-12-24T20:00:00Z", "eve"},
		{"the last override counts", "2026-12-25T20:00:00Z", "fay"},
		{"its end does not belong to it", "2026-12-27T00:00:00Z", "ann"},
	} {
		if got := s.OnCall(day(tc.at)); got != tc.want {
			t.Errorf("%s: %q, want %q", tc.name, got, tc.want)
		}
	}
}

func TestScheduleFaults(t *testing.T) {
	for want, s := range map[string]responsehub.Schedule{
		"needs a time_zone such as Europe/Berlin": {TimeZone: "Mars/Base"},
		"has no layers":              {TimeZone: "UTC"},
		"has a layer without people": {TimeZone: "UTC", Layers: []responsehub.Layer{{Since: "2026-01-05"}}},
		"has a layer whose since is no day such as 2026-01-05":            {TimeZone: "UTC", Layers: []responsehub.Layer{{People: []string{"a"}, Since: "Monday"}}},
		"has a layer with only one of from and to":                        {TimeZone: "UTC", Layers: []responsehub.Layer{{People: []string{"a"}, Since: "2026-01-05", From: "08:00"}}},
		"has a layer whose hours are not like 18:00":                      {TimeZone: "UTC", Layers: []responsehub.Layer{{People: []string{"a"}, Since: "2026-01-05", From: "8", To: "25:00"}}},
		"has an override without a person, or that ends before it begins": {TimeZone: "UTC", Layers: []responsehub.Layer{{People: []string{"a"}, Since: "2026-01-05"}}, Overrides: []responsehub.Override{{Person: "a"}}},
	} {
		if got := s.Check(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
