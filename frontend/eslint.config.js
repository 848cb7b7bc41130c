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
      // The views keep the names of the original template.
      'vue/multi-word-component-names': 'off',
      'vue/no-v-html': 'error',
      // TypeScript checks this.
      'vue/require-default-prop': 'off',
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      // Navigations report their own failures.
      '@typescript-eslint/no-misused-promises': ['error', { checksVoidReturn: false }],
      '@typescript-eslint/no-non-null-assertion': 'off',
      // Does not support defaults of optional props.
      '@typescript-eslint/no-useless-default-assignment': 'off',
    },
  },
)
