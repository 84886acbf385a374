module weir/cmd/campaign

go 1.26.8

require (
	github.com/apache/beam/sdks/v2 v2.77.0
	github.com/spf13/cobra v1.10.2
	weir v0.0.0
)

replace weir => ../..
