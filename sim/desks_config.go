package sim

import (
	"responsehub/sim/autotask"
	"responsehub/sim/connectwise"
	"responsehub/sim/halopsa"
)

// deskConfig writes the connections to the ticket systems.
func (w *World) deskConfig(line func(format string, args ...any)) {
	line("psa:")
	line("  - name: connectwise")
	line("    kind: connectwise")
	line("    site: %q", w.ConnectWiseURL())
	line("    company: %s", ConnectWiseCompany)
	line("    public_key: %s", ConnectWiseKey)
	line("    private_key: %q", w.secrets.connectwise)
	line("    client_id: %s", ConnectWiseClientID)
	line("    board: %q", connectwise.Board)
	line("    statuses: {new: New, working: In Progress, contained: Contained, waiting: Waiting on Technician, closed: Closed, reopened: Re-opened}")
	line("    priorities: {critical: Priority 1 - Critical, high: Priority 2 - High, medium: Priority 3 - Normal, low: Priority 4 - Low}")
	line("    catch_all_company: %s", connectwise.CatchAll)
	line("  - name: autotask")
	line("    kind: autotask")
	line("    zone_url: %q", w.AutotaskURL())
	line("    username: %s", AutotaskUser)
	line("    secret: %q", w.secrets.autotask)
	line("    integration_code: %q", w.AutotaskCode())
	line("    queue: %s", autotask.Queue)
	line("    statuses: {new: New, working: In Progress, contained: Contained, waiting: Waiting on Technician, closed: Complete, reopened: Re-opened}")
	line("    priorities: {critical: Critical, high: High, medium: Medium, low: Low}")
	line("    catch_all_company: %q", autotask.CatchAll)
	line("  - name: halopsa")
	line("    kind: halopsa")
	line("    url: %q", w.HaloURL())
	line("    auth_url: %q", w.HaloURL()+"/auth")
	line("    tenant: %s", HaloTenant)
	line("    client_id: %s", HaloClientID)
	line("    client_secret: %q", w.secrets.halo)
	line("    team: %s", halopsa.Team)
	line("    type: %q", halopsa.Type)
	line("    statuses: {new: New, working: In Progress, contained: Contained, waiting: Waiting on Technician, closed: Closed, reopened: Re-opened}")
	line("    priorities: {critical: Critical, high: High, medium: Medium, low: Low}")
	line("    catch_all_company: %q", halopsa.CatchAll)
}
