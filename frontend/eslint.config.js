import { defineConfigWithVueTs, vueTsConfigs } from '@vue/eslint-config-typescript'
import prettier from 'eslint-config-prettier/flat'
import vue from 'eslint-plugin-vue'

export default defineConfigWithVueTs(
  { ignores: ['dist', 'src/client', 'playwright-report', 'test-results'] },
  vue.configs['flat/recommended'],
  vueTsConfigs.strictTypeChecked,
  prettier,
  {
    rules: {
      // Views such as Login.vue have one-word names.
      'vue/multi-word-component-names': 'off',
      'vue/no-v-html': 'error',
      // TypeScript already checks which props may be undefined.
      'vue/require-default-prop': 'off',
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      // Event handlers may be async. router.push rejects only on errors that router.onError handles.
      '@typescript-eslint/no-misused-promises': ['error', { checksVoidReturn: false }],
      '@typescript-eslint/no-non-null-assertion': 'off',
      // This rule reports the defaults of optional props as useless.
      '@typescript-eslint/no-useless-default-assignment': 'off',
    },
  },
)
