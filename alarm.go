package responsehub

import "time"

// AlarmAgain is how soon an alarm that keeps coming is told again, unless it says otherwise.
const AlarmAgain = 15 * time.Minute

// Alarm is what whoever runs the hub has to hear and what belongs to no incident, such as
// a number that is somebody else's.
type Alarm struct {
	Subject string        // what it is about: the same subject again is the same alarm, counted
	Words   string        // what is wrong and what to do about it; never a secret or a person's whole number
	Again   time.Duration // how soon it is told again while it keeps coming; 0 is AlarmAgain
	Over    bool          // it has ended: said once where the alarm was told, and nowhere else
}
