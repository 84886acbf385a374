package job

import (
	"reflect"
	"testing"
	"time"
)

// TestManifestKeepsEveryFieldOfATuning fails for a field that was forgotten.
func TestManifestKeepsEveryFieldOfATuning(t *testing.T) {
	var was, is Tuning
	v := reflect.ValueOf(&was).Elem()
	for i := range v.NumField() {
		v.Field(i).SetInt(int64(i+1) * int64(time.Second))
	}
	settings := map[string]string{}
	was.Describe(settings)
	if err := is.Read(settings); err != nil || is != was {
		t.Errorf("%+v came back as %+v, error %v", was, is, err)
	}
	if len(settings) != v.NumField() {
		t.Errorf("%d fields are kept, there are %d", len(settings), v.NumField())
	}
	settings["batch_timeout"] = "soon"
	if err := is.Read(settings); err == nil {
		t.Error("a time that is none was read")
	}
}
