package graph

import (
	"net/http"
	"slices"

	"responsehub/sim/tenant"
)

// methodTypes are the path segments of the method types and what they hold.
// https://learn.microsoft.com/graph/api/resources/authenticationmethods-overview
var methodTypes = map[string]string{
	"phoneMethods": "phoneAuthenticationMethod", "emailMethods": "emailAuthenticationMethod", "fido2Methods": "fido2AuthenticationMethod",
	"microsoftAuthenticatorMethods": "microsoftAuthenticatorAuthenticationMethod", "softwareOathMethods": "softwareOathAuthenticationMethod",
	"temporaryAccessPassMethods": "temporaryAccessPassAuthenticationMethod", "windowsHelloForBusinessMethods": "windowsHelloForBusinessAuthenticationMethod",
	"platformCredentialMethods": "platformCredentialAuthenticationMethod",
}

func methodObject(m tenant.Method) object {
	o := object{"@odata.type": "#microsoft.graph." + m.Type, "id": m.ID, "createdDateTime": stampOf(m.Created)}
	switch m.Type {
	case "phoneAuthenticationMethod":
		o["phoneNumber"], o["phoneType"], o["smsSignInState"] = m.Detail, "mobile", "notSupported"
	case "emailAuthenticationMethod":
		o["emailAddress"] = m.Detail
	case "passwordAuthenticationMethod":
		o["password"] = nil
	case "softwareOathAuthenticationMethod":
		o["secretKey"] = nil
	default:
		o["displayName"] = m.Detail
	}
	return o
}

func (c *call) methods(keep func(tenant.Method) bool) reply {
	u := tenant.FindUser(c.t, c.args[0])
	if u == nil {
		return notThere(c.args[0])
	}
	var out []tenant.Method
	for _, m := range u.Methods {
		if keep(m) {
			out = append(out, m)
		}
	}
	return c.list(listing{entity: "authenticationMethod", context: "users('" + u.ID + "')/authentication/methods", pageSize: 100, maxPage: 999}, each(out, methodObject))
}

// listMethods: https://learn.microsoft.com/graph/api/authentication-list-methods
func (c *call) listMethods() reply { return c.methods(func(tenant.Method) bool { return true }) }

// listMethodsOfType: https://learn.microsoft.com/graph/api/authentication-list-phonemethods and its siblings
func (c *call) listMethodsOfType() reply {
	kind, ok := methodTypes[c.args[1]]
	if !ok {
		return c.unknown()
	}
	return c.methods(func(m tenant.Method) bool { return m.Type == kind })
}

// deleteMethod: the default method has to go last.
// https://learn.microsoft.com/graph/api/phoneauthenticationmethod-delete and its siblings
func (c *call) deleteMethod() reply {
	kind, ok := methodTypes[c.args[1]]
	if !ok {
		return c.unknown()
	}
	u := tenant.FindUser(c.t, c.args[0])
	if u == nil {
		return notThere(c.args[0])
	}
	if refused := c.guarded(u); refused != nil {
		return *refused
	}
	i := slices.IndexFunc(u.Methods, func(m tenant.Method) bool { return m.ID == c.args[2] && m.Type == kind })
	if i < 0 {
		return fail(http.StatusNotFound, "resourceNotFound", "The requested authentication method was not found.")
	}
	others := slices.ContainsFunc(u.Methods, func(m tenant.Method) bool { return !m.Default && m.Type != "passwordAuthenticationMethod" })
	if u.Methods[i].Default && others {
		return badRequest("The default authentication method cannot be deleted while other methods are registered.")
	}
	u.Methods = slices.Delete(u.Methods, i, i+1)
	c.effect("method.delete", u.ID, c.args[1]+"/"+c.args[2])
	return reply{status: http.StatusNoContent}
}

var deviceList = listing{entity: "device", context: "devices", pageSize: 100, maxPage: 999}

func deviceObject(d *tenant.Device) object {
	return object{
		"id": d.ID, "deviceId": d.ID, "displayName": d.Name, "accountEnabled": d.AccountEnabled, "isManaged": d.IsManaged, "isCompliant": d.IsManaged,
		"operatingSystem": d.OS, "operatingSystemVersion": "10.0", "registrationDateTime": stampOf(d.Registered), "approximateLastSignInDateTime": stampOf(d.Registered),
		"trustType": "Workplace", "profileType": "RegisteredDevice", "manufacturer": nil, "model": nil, "deletedDateTime": nil, "onPremisesSyncEnabled": nil,
	}
}

// listDevices: https://learn.microsoft.com/graph/api/user-list-registereddevices
func (c *call) listDevices() reply {
	u := tenant.FindUser(c.t, c.args[0])
	if u == nil {
		return notThere(c.args[0])
	}
	return c.list(deviceList, each(u.Devices, func(d *tenant.Device) object {
		o := deviceObject(d)
		o["@odata.type"] = "#microsoft.graph.device"
		return o
	}))
}

func (c *call) device() (*tenant.Device, *reply) {
	for _, u := range c.t.Users {
		for _, d := range u.Devices {
			if d.ID == c.args[0] {
				return d, nil
			}
		}
	}
	out := notThere(c.args[0])
	return nil, &out
}

// getDevice: https://learn.microsoft.com/graph/api/device-get
func (c *call) getDevice() reply {
	d, refused := c.device()
	if refused != nil {
		return *refused
	}
	return c.one(deviceList, deviceObject(d))
}

// patchDevice: https://learn.microsoft.com/graph/api/device-update
func (c *call) patchDevice() reply {
	m, refused := c.decode("accountEnabled")
	if refused != nil {
		return *refused
	}
	d, refused := c.device()
	if refused != nil {
		return *refused
	}
	on, _, ok := boolean(m, "accountEnabled")
	if !ok {
		return badRequest("Invalid value specified for property 'accountEnabled' of resource 'Device'.")
	}
	if d.AccountEnabled != on {
		d.AccountEnabled = on
		c.effect(onOff("device", on), d.ID, d.Name)
	}
	return reply{status: http.StatusNoContent}
}
