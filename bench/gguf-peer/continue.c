// Continues token ids greedily with llama.cpp, and prints the ids: continue LIBRARIES MODEL.gguf COUNT ID...
// The likeliest id is taken from the logits themselves, so a model needs no vocabulary.
#include <stdio.h>
#include <stdlib.h>
#include "ggml-backend.h"
#include "llama.h"

static void silent(enum ggml_log_level level, const char *text, void *data) {
    (void)data;
    if (level >= GGML_LOG_LEVEL_ERROR && level != GGML_LOG_LEVEL_CONT)
        fputs(text, stderr);
}

int main(int argc, char **argv) {
    if (argc < 5)
        return 2;
    llama_log_set(silent, NULL);
    ggml_backend_load_all_from_path(argv[1]);
    struct llama_model *model = llama_model_load_from_file(argv[2], llama_model_default_params());
    if (!model)
        return 1;
    int wanted = atoi(argv[3]), count = argc - 4;
    llama_token *ids = malloc(sizeof(llama_token) * (size_t)(count + wanted));
    for (int i = 0; i < count; i++)
        ids[i] = atoi(argv[4 + i]);
    struct llama_context_params options = llama_context_default_params();
    options.n_ctx = (uint32_t)(count + wanted);
    options.n_threads = options.n_threads_batch = 2;
    // The keys and values as they are, as the reference keeps them.
    options.type_k = options.type_v = GGML_TYPE_F32;
    struct llama_context *context = llama_init_from_model(model, options);
    if (!context)
        return 1;
    int rows = llama_vocab_n_tokens(llama_model_get_vocab(model));
    for (int made = 0, from = 0; made < wanted; made++) {
        if (llama_decode(context, llama_batch_get_one(ids + from, count - from)))
            return 1;
        const float *logits = llama_get_logits_ith(context, -1);
        int best = 0;
        for (int i = 1; i < rows; i++)
            if (logits[i] > logits[best])
                best = i;
        printf(made ? " %d" : "%d", best);
        from = count;
        ids[count++] = best;
    }
    printf("\n");
    llama_free(context);
    llama_model_free(model);
    return 0;
}
