# STWATCH_WITH_CURL: http and https addresses as inputs. The library is loaded when one is first read (src/wire/http.c).
if(NOT STWATCH_CURL)
	return()
endif()
target_include_directories(stwatch_objects SYSTEM PRIVATE ${STWATCH_CURL_INCLUDE})
target_compile_definitions(stwatch_objects PRIVATE STWATCH_CURL)
list(APPEND STWATCH_PART_LIBRARIES ${CMAKE_DL_LIBS})
