package exchange

import (
	"reflect"
	"slices"
	"time"

	"responsehub/sim/tenant"
)

// getTransportRules: https://learn.microsoft.com/powershell/module/exchangepowershell/get-transportrule
func (c *call) getTransportRules() ([]object, *refusal) {
	if c.text("Identity") != "" {
		r, refused := c.transportRule()
		if refused != nil {
			return nil, refused
		}
		return []object{r}, nil
	}
	var out []object
	for _, r := range c.t.TransportRules {
		if state := c.text("State"); state == "" || r["State"] == state {
			out = append(out, object(r))
		}
	}
	return out, nil
}

func (c *call) transportRule() (map[string]any, *refusal) {
	id, refused := c.needs("Identity")
	if refused != nil {
		return nil, refused
	}
	r := tenant.FindTransportRule(c.t, id)
	if r == nil {
		return nil, notFound("The operation couldn't be performed because object '%s' couldn't be found on 'SIM0001.PROD.OUTLOOK.COM'.", id)
	}
	return r, nil
}

// enableTransportRule: https://learn.microsoft.com/powershell/module/exchangepowershell/enable-transportrule
func (c *call) enableTransportRule() ([]object, *refusal) { return c.switchTransport("Enabled") }

// disableTransportRule: https://learn.microsoft.com/powershell/module/exchangepowershell/disable-transportrule
func (c *call) disableTransportRule() ([]object, *refusal) { return c.switchTransport("Disabled") }

func (c *call) switchTransport(state string) ([]object, *refusal) {
	r, refused := c.transportRule()
	if refused != nil {
		return nil, refused
	}
	if r["State"] == state {
		return nil, nil
	}
	r["State"], r["WhenChanged"] = state, time.Now().UTC().Format(time.RFC3339)
	guid, _ := r["Guid"].(string)
	name, _ := r["Name"].(string)
	c.effect(map[string]string{"Enabled": "transport.enable", "Disabled": "transport.disable"}[state], guid, name)
	return nil, nil
}

// removeTransportRule: https://learn.microsoft.com/powershell/module/exchangepowershell/remove-transportrule
func (c *call) removeTransportRule() ([]object, *refusal) {
	r, refused := c.transportRule()
	if refused != nil {
		return nil, refused
	}
	c.t.TransportRules = slices.DeleteFunc(c.t.TransportRules, func(x map[string]any) bool {
		return reflect.ValueOf(x).Pointer() == reflect.ValueOf(r).Pointer()
	})
	guid, _ := r["Guid"].(string)
	name, _ := r["Name"].(string)
	c.effect("transport.delete", guid, name)
	return nil, nil
}
