//go:build deps

package responsehub

import (
	_ "github.com/alexedwards/scs/v2"
	_ "github.com/coreos/go-oidc/v3/oidc"
	_ "github.com/emersion/go-smtp"
	_ "github.com/johnfercher/maroto/v2"
	_ "github.com/johnfercher/maroto/v2/pkg/components/col"
	_ "github.com/johnfercher/maroto/v2/pkg/components/image"
	_ "github.com/johnfercher/maroto/v2/pkg/components/page"
	_ "github.com/johnfercher/maroto/v2/pkg/components/row"
	_ "github.com/johnfercher/maroto/v2/pkg/components/text"
	_ "github.com/johnfercher/maroto/v2/pkg/config"
	_ "github.com/nyaruka/phonenumbers"
	_ "github.com/twilio/twilio-go/client"
	_ "github.com/twilio/twilio-go/rest/api/v2010"
	_ "github.com/wneessen/go-mail"
	_ "github.com/xuri/excelize/v2"
	_ "golang.org/x/oauth2"
)
