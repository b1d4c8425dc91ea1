package connectwise

import (
	"fmt"
	"net/http"

	"responsehub/sim/desk"
)

// refusal is an error as the API answers it. The shapes are those of recorded answers in
// https://github.com/amp-labs/connectors (providers/connectwise).
type refusal struct {
	status int
	body   any
}

type fault struct {
	Code     string `json:"code"`
	Message  string `json:"message"`
	Resource string `json:"resource"`
	Field    string `json:"field"`
}

func plain(status int, code, message string) *refusal {
	return &refusal{status, desk.Record{"code": code, "message": message, "errors": nil}}
}

// invalid is a record that cannot be taken.
func invalid(resource string, faults ...fault) *refusal {
	for i := range faults {
		faults[i].Resource = resource
	}
	return &refusal{http.StatusBadRequest, struct {
		Code    string  `json:"code"`
		Message string  `json:"message"`
		Errors  []fault `json:"errors"`
	}{"InvalidObject", resource + " object is invalid", faults}}
}

// missing has no key "errors" with the vendor either.
func missing(what string, id any) *refusal {
	return &refusal{http.StatusNotFound, map[string]string{"code": "NotFound", "message": fmt.Sprintf("%s %v not found", what, id)}}
}

var (
	noEndpoint = &refusal{http.StatusNotFound, map[string]string{"code": "ConnectWiseApi", "message": "The endpoint does not exist."}}
	noAccess   = plain(http.StatusUnauthorized, "Unauthorized", "The provided credentials are not valid.")
	noClient   = plain(http.StatusUnauthorized, "InvalidClientId", "Cannot route. Codebase/company is invalid or the clientId header is missing.")
	noJSON     = plain(http.StatusBadRequest, "InvalidArgument", "The request body is not valid JSON.")
	noForm     = plain(http.StatusUnsupportedMediaType, "UnsupportedMediaType", "The request entity's media type is not supported for this resource.")
)
