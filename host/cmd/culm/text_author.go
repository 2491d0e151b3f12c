package main

// authorWords are the texts of the commands of plugin authors: English, Chinese.
func authorWords() map[string][2]string {
	return map[string][2]string{
		"usage.command":   {"unknown command %q", "没有命令 %q"},
		"usage.flag":      {"unknown flag: %s", "没有选项 %s"},
		"usage.value":     {"the flag %s needs a value", "选项 %s 需要一个值"},
		"usage.bad value": {"%q is no value for the flag %s: %v", "%q 不是选项 %s 的有效值：%v"},
		"usage.required":  {"the flag %s is required", "必须给出选项 %s"},
		"usage.args":      {"wrong number of arguments: %d", "参数个数不对：%d"},
		"usage.missing":   {"an argument is missing: %s", "缺少参数：%s"},
		"usage.mean":      {"did you mean %s?", "您要用的可能是：%s"},
		"usage.see":       {"usage: %s\n  %s --help says more", "用法：%s\n  详见 %s --help"},

		"new.next":     {"next: cd %s && culm plugin build && culm plugin test", "下一步：cd %s && culm plugin build && culm plugin test"},
		"test.passed":  {"%d passed, %d failed", "%d 个通过，%d 个失败"},
		"test.columns": {"case\ttime\tmemory\thost calls\toutput", "用例\t耗时\t内存\t主机调用\t输出"},
		"test.of":      {"of", "/"},
		"test.updated": {"%s: expectations written", "%s：已写入预期"},
		"test.none":    {"there are no cases: no file %s; culm plugin run --record writes one", "没有用例：找不到文件 %s；可用 culm plugin run --record 生成"},
		"run.inputs":   {"the inputs do not fit the form of %s; give them with --input name=value", "输入不符合 %s 的表单；请用 --input name=value 给出"},
		"run.action":   {"plugin %s has no action %s; it has %s", "插件 %s 没有动作 %s；现有：%s"},
		"run.recorded": {"%s: case added", "%s：已添加用例"},
		"run.calls":    {"%d of %d calls", "%d / %d 次调用"},

		"dev.watching":  {"watching %s", "正在监视 %s"},
		"dev.reloading": {"watching %s, reloading into %s", "正在监视 %s，重载到 %s"},
		"dev.broken":    {"does not build", "构建失败"},

		"dev.built":    {"built in %s", "构建 %s"},
		"dev.tested":   {"%d passed, %d failed in %s", "%d 个通过，%d 个失败 %s"},
		"dev.reloaded": {"reloaded in %s", "已重载 %s"},
		"dev.held":     {"not in use: %s", "未启用：%s"},
		"dev.same":     {"unchanged", "无变化"},

		"lint.error": {"error", "错误"}, "lint.warning": {"warning", "警告"}, "lint.info": {"info", "提示"},
		"lint.count":               {"%d errors, %d warnings, %d hints", "%d 个错误，%d 个警告，%d 个提示"},
		"lint.text/missing":        {"is missing", "缺失"},
		"lint.text/untranslated":   {"has no text in the language %s", "缺少语言 %s 的文本"},
		"lint.schema/title":        {"has no title: the form shows the bare name", "没有标题：表单只能显示字段名"},
		"lint.schema/description":  {"has no description: the form has no help", "没有说明：表单没有帮助文本"},
		"lint.schema/open":         {"is not false: misspelt inputs are taken without a word", "不为 false：拼错的输入不会被发现"},
		"lint.schema/bounds":       {"has no %s: the input has no end", "没有 %s：输入没有上限"},
		"lint.schema/outputs":      {"declares no outputs: flows cannot refer to any", "没有声明输出：流程无法引用"},
		"lint.schema/secret":       {"looks like a secret and is not marked x-secret: it would stand in the records", "像是密文却没有标记 x-secret：会出现在记录中"},
		"lint.needs/any-system":    {"asks for the operation %s of any system: an administrator cannot tell what he grants", "请求任意系统的 %s 接口：管理员无法判断授权内容"},
		"lint.needs/any-operation": {"asks for every operation of the system %s: name those that are called", "请求系统 %s 的全部接口：请列出实际调用的接口"},
		"lint.needs/twice":         {"asks for %s, which another entry covers", "%s 已被另一条目涵盖"},
		"lint.needs/many":          {"asks for %s operations: two plugins may be easier to grant", "请求了 %s 个接口：拆成多个插件更易授权"},
		"lint.limits/above-host":   {"is %s, and the host's own limit of %s wins", "为 %s，但以主机的上限 %s 为准"},
		"lint.waits/no-cancel":     {"is false, and the action waits: what it started goes on after a revoke", "为 false，而动作会等待：撤销后已启动的工作仍会继续"},
	}
}
