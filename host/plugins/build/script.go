package build

import "errors"

func linkScript(string) ([]byte, error) { return nil, errors.ErrUnsupported }
