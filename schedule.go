package responsehub

import (
	"slices"
	"time"
)

// Schedule says who of several people is on call: layers that repeat weekly, and
// overrides for holidays and swaps. A later layer beats an earlier one where both have
// somebody; an override beats all layers, and of several the last one counts.
type Schedule struct {
	ID        string     `json:"id"`
	TimeZone  string     `json:"time_zone"` // IANA name; hours are this zone's, through its changes of summer time
	Layers    []Layer    `json:"layers"`
	Overrides []Override `json:"overrides,omitempty"`
}

// Layer is hours of the week in which people take turns.
type Layer struct {
	People []string       `json:"people"` // ids; they take turns in this order
	Since  string         `json:"since"`  // day of the first handover, 2026-01-05
	Weeks  int            `json:"weeks"`  // how many weeks each has; 0 is 1
	Days   []time.Weekday `json:"days"`   // days on which the hours begin; none is every day
	From   string         `json:"from"`   // 18:00; with To empty too: the whole day
	To     string         `json:"to"`     // 08:00; not after From: of the next day
}

// Override puts one person on call.
type Override struct {
	Person string    `json:"person"`
	From   time.Time `json:"from"`
	To     time.Time `json:"to"`
}

// OnCall returns the id of the person on call at a time, or "" for nobody.
func (s *Schedule) OnCall(at time.Time) string {
	for _, o := range slices.Backward(s.Overrides) {
		if !at.Before(o.From) && at.Before(o.To) {
			return o.Person
		}
	}
	zone, err := time.LoadLocation(s.TimeZone)
	if err != nil {
		zone = time.UTC
	}
	for _, l := range slices.Backward(s.Layers) {
		if p := l.onCall(at.In(zone)); p != "" {
			return p
		}
	}
	return ""
}

// Check returns what is wrong with the schedule, in words, or "".
func (s *Schedule) Check() string {
	if _, err := time.LoadLocation(s.TimeZone); err != nil || s.TimeZone == "" {
		return "needs a time_zone such as Europe/Berlin"
	}
	if len(s.Layers) == 0 {
		return "has no layers"
	}
	for _, l := range s.Layers {
		_, err := time.Parse(time.DateOnly, l.Since)
		switch {
		case len(l.People) == 0:
			return "has a layer without people"
		case err != nil:
			return "has a layer whose since is no day such as 2026-01-05"
		case (l.From == "") != (l.To == ""):
			return "has a layer with only one of from and to"
		case l.From != "" && (minutes(l.From) < 0 || minutes(l.To) < 0):
			return "has a layer whose hours are not like 18:00"
		}
	}
	for _, o := range s.Overrides {
		if o.Person == "" || !o.From.Before(o.To) {
			return "has an override without a person, or that ends before it begins"
		}
	}
	return ""
}

// onCall looks at the shift that began today and, for hours past midnight, at the one
// that began yesterday: whoever began a shift ends it.
func (l *Layer) onCall(at time.Time) string {
	now := at.Hour()*60 + at.Minute()
	from, to := 0, 24*60
	if l.From != "" {
		from, to = minutes(l.From), minutes(l.To)
	}
	day := time.Date(at.Year(), at.Month(), at.Day(), 0, 0, 0, 0, time.UTC) // a day of the calendar, whatever its length
	switch {
	case to <= from && now < to && l.works(day.AddDate(0, 0, -1)):
		return l.turn(day.AddDate(0, 0, -1))
	case now >= from && (now < to || to <= from) && l.works(day):
		return l.turn(day)
	}
	return ""
}

func (l *Layer) works(day time.Time) bool {
	return len(l.Days) == 0 || slices.Contains(l.Days, day.Weekday())
}

// turn says whose week a day is in.
func (l *Layer) turn(day time.Time) string {
	since, err := time.Parse(time.DateOnly, l.Since)
	if err != nil || len(l.People) == 0 || day.Before(since) {
		return ""
	}
	weeks := int(day.Sub(since).Hours()/24) / 7 / max(l.Weeks, 1)
	return l.People[weeks%len(l.People)]
}

// minutes is a time of day such as 18:00 in minutes, or -1.
func minutes(s string) int {
	t, err := time.Parse("15:04", s)
	if err != nil {
		return -1
	}
	return t.Hour()*60 + t.Minute()
}

// Schedule returns the schedule with the id.
func (o *OnCall) Schedule(id string) (Schedule, bool) {
	i := slices.IndexFunc(o.Schedules, func(s Schedule) bool { return s.ID == id })
	if i < 0 {
		return Schedule{}, false
	}
	return o.Schedules[i], true
}

// Names reports whether somebody can be called by the sequence, now or at another time.
func (o *OnCall) Names(person string) bool {
	return slices.Contains(o.Sequence, person) || slices.ContainsFunc(o.Schedules, func(s Schedule) bool {
		return slices.ContainsFunc(s.Layers, func(l Layer) bool { return slices.Contains(l.People, person) }) ||
			slices.ContainsFunc(s.Overrides, func(o Override) bool { return o.Person == person })
	})
}

// At returns the ids of the people of a sequence at a time: schedules stand for whoever
// they have on call then. An entry that has nobody is left out.
func (o *OnCall) At(at time.Time) []string {
	var out []string
	for _, id := range o.Sequence {
		if who := o.Who(id, at); who != "" && !slices.Contains(out, who) {
			out = append(out, who)
		}
	}
	return out
}

// Who returns the person an entry of a sequence stands for at a time, or "".
func (o *OnCall) Who(entry string, at time.Time) string {
	if s, ok := o.Schedule(entry); ok {
		return s.OnCall(at)
	}
	return entry
}
