// WXSS → CSS: one class prefix per component, rpx as a 750th of the width.
import fs from 'node:fs'
import path from 'node:path'
import postcss from 'postcss'
import selectors from 'postcss-selector-parser'
import { BUILT_IN } from './wxml.mjs'

export function styleSheets(src, components, problems) {
  const styles = {}
  const scopes = {}
  const add = (name, scope) => {
    try {
      styles[name] = compiled(src, name, scope)
    } catch (error) {
      problems.push(String(error.message))
    }
  }
  let count = 0
  for (const [name, json] of components) {
    scopes[name] = json.component ? `s${count++}` : ''
    add(name, scopes[name])
  }
  add('app', '')
  return { styles, scopes }
}

function compiled(src, name, scope) {
  const css = withImports(src, name)
  const root = postcss.parse(css, { from: `${name}.wxss` })
  root.walkRules((rule) => {
    rule.selector = selectors((all) => {
      all.walkTags((tag) => {
        if (scope) throw new Error(`${name}.wxss: a component may not select by tag (${tag.value})`)
        if (BUILT_IN.includes(tag.value)) tag.value = `wx-${tag.value}`
      })
      if (scope) all.walkClasses((each) => void (each.value = `${scope}--${each.value}`))
    }).processSync(rule.selector)
  })
  root.walkDecls((declaration) => {
    declaration.value = declaration.value.replace(/(-?[\d.]+)rpx/g, 'calc(var(--rpx) * $1)')
  })
  return root.toString()
}

function withImports(src, name) {
  const file = path.join(src, `${name}.wxss`)
  if (!fs.existsSync(file)) return ''
  return fs.readFileSync(file, 'utf8').replace(/@import\s+"([^"]+)\.wxss";/g, (_, ref) =>
    withImports(src, path.posix.join(path.posix.dirname(name), ref)))
}
