import { configure } from '@testing-library/react'

// Before each file of unit tests: a busy machine may take its time. What does not happen is waited for in vain anyway.
configure({ asyncUtilTimeout: 30_000 })
