package main

// authorWords are the texts of the commands of plugin authors: English, Chinese.
func authorWords() map[string][2]string {
	return map[string][2]string{
		"new.next":     {"next: cd %s && culm plugin build && culm plugin test", "下一步：cd %s && culm plugin build && culm plugin test"},
		"test.passed":  {"%d passed, %d failed", "%d 个通过，%d 个失败"},
		"test.columns": {"case\ttime\tmemory\thost calls\toutput", "用例\t耗时\t内存\t主机调用\t输出"},
		"test.of":      {"of", "/"},
		"test.updated": {"%s: expectations written", "%s：已写入预期"},
	}
}
