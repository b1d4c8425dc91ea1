package mail

import (
	"strings"
	"testing"
)

func TestAlarm(t *testing.T) {
	one, two := Alarm("Hub <hub@desk.example>", "soc@desk.example", "a1", "Ann wrote STOP."), Alarm("hub@desk.example", "soc@desk.example", "a2", "Ann wrote STOP.")
	if again := Alarm("hub@desk.example", "soc@desk.example", "a1", "Ann wrote STOP."); again.MessageID != one.MessageID {
		t.Errorf("another try has the id %q, the first %q", again.MessageID, one.MessageID)
	}
	if other := Alarm("hub@desk.example", "cio@desk.example", "a1", "Ann wrote STOP."); other.MessageID == one.MessageID {
		t.Error("two recipients have letters of the same id")
	}
	if one.MessageID == two.MessageID || !strings.HasSuffix(one.MessageID, "@desk.example") || !strings.HasSuffix(two.MessageID, "@desk.example") {
		t.Errorf("ids %q and %q", one.MessageID, two.MessageID)
	}
	want := "Ann wrote STOP.\n\nThis belongs to no incident. Whoever keeps the hub should see to it.\n"
	if one.Text != want || one.To != "soc@desk.example" || !one.Urgent || one.Subject != "responsehub: something needs the operators" {
		t.Errorf("%+v", one)
	}
}
